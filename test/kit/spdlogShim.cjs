// Stands in for the native binding of @vscode/spdlog, which the registry does not carry prebuilt. Without it the
// editor starts, but every output channel stays silently empty.
const { appendFileSync, existsSync, mkdirSync, renameSync, statSync, writeFileSync } = require('node:fs');
const { dirname, extname } = require('node:path');

const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical'];
let defaultLevel = 2;

class Logger {
  constructor(_kind, _name, file, maxBytes) {
    mkdirSync(dirname(file), { recursive: true });
    if (!existsSync(file)) writeFileSync(file, '');
    this.file = file;
    this.maxBytes = maxBytes || 0;
    this.bytes = statSync(file).size;
    this.level = defaultLevel;
    this.plain = false;
    this.dropped = false;
  }
  write(level, message) {
    if (this.dropped || level < this.level) return;
    const line = this.plain
      ? String(message)
      : `${new Date().toISOString().replace('T', ' ').replace('Z', '')} [${LEVELS[level]}] ${message}\n`;
    try {
      appendFileSync(this.file, line);
      this.bytes += Buffer.byteLength(line);
      if (this.maxBytes > 0 && this.bytes > this.maxBytes) this.rotate();
    } catch (error) {
      // The editor may remove the folder while it shuts down; a log must not take the extension host with it.
      if (error.code !== 'ENOENT') process.stderr.write(`log ${this.file}: ${error.message}\n`);
    }
  }
  rotate() {
    const ending = extname(this.file);
    renameSync(this.file, `${this.file.slice(0, this.file.length - ending.length)}.1${ending}`);
    writeFileSync(this.file, '');
    this.bytes = 0;
  }
  trace(message) {
    this.write(0, message);
  }
  debug(message) {
    this.write(1, message);
  }
  info(message) {
    this.write(2, message);
  }
  warn(message) {
    this.write(3, message);
  }
  error(message) {
    this.write(4, message);
  }
  critical(message) {
    this.write(5, message);
  }
  getLevel() {
    return this.level;
  }
  setLevel(level) {
    this.level = level;
  }
  setPattern() {}
  clearFormatters() {
    this.plain = true;
  }
  flush() {}
  drop() {
    this.dropped = true;
  }
}

exports.version = 0;
exports.Logger = Logger;
exports.setLevel = (level) => {
  defaultLevel = level;
};
exports.setFlushOn = () => {};
exports.createRotatingLogger = async (name, file, maxBytes) => new Logger('rotating', name, file, maxBytes);
exports.createAsyncRotatingLogger = async (name, file, maxBytes) => new Logger('rotating_async', name, file, maxBytes);

/**
 * SQLite over a real file with the unmodified sql.js, which by itself only works in memory (1 M rows: about 1 GB, and
 * every save writes all of it).
 *
 * The default VFS inside the WebAssembly module is patched: paths opened through `open` go to real files with
 * synchronous calls, all others stay in Emscripten's own memory file system. Only public things are used: the
 * `instantiateWasm` hook of Emscripten, sql.js's exported `_malloc` and `addFunction`, and the layouts of `sqlite3_vfs`,
 * `sqlite3_io_methods` and the first field of `struct sqlite3` (https://sqlite.org/c3ref/vfs.html). Tried with
 * sql.js 1.16.0. No locking: one process owns the file.
 */
import {
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import initSqlJs from 'sql.js';
import type { Database } from 'sql.js';
import { PLAIN_FILE } from '#home/journal/segments.ts';
import { errorCode } from '#home/privateFile.ts';

export interface FileBackedSqlite {
  /** Opens or makes the database at this absolute path. */
  open(path: string): Database;
}

/** Result codes of https://sqlite.org/rescode.html. */
const SQLITE_OK = 0;
const SQLITE_NOTFOUND = 12;
const SQLITE_FULL = 13;
const SQLITE_CANTOPEN = 14;
const IOERR_READ = 266;
const IOERR_SHORT_READ = 522;
const IOERR_WRITE = 778;
const IOERR_FSYNC = 1034;
const IOERR_TRUNCATE = 1546;
const IOERR_FSTAT = 1802;
const IOERR_DELETE = 2570;
const IOERR_CLOSE = 4106;
const IOERR_DELETE_NOENT = 5898;
const OPEN_READONLY = 0x1;
const OPEN_DELETEONCLOSE = 0x8;
const OPEN_CREATE = 0x4;
const OPEN_EXCLUSIVE = 0x10;
const IOCAP_POWERSAFE_OVERWRITE = 0x1000;
/** Fields of `sqlite3_vfs`, in 32-bit words. */
const VFS = { version: 0, name: 4, open: 6, delete: 7, access: 8, fullPathname: 9 } as const;

type WasmFunction = (...args: never[]) => number;
/** What stock sql.js exports beside its documented classes, and the field that holds the `sqlite3*`. */
interface Internals {
  _malloc(bytes: number): number;
  addFunction(callback: WasmFunction, signature: string): number;
}
/** The part of WebAssembly we use; its full types come only with the browser's. */
interface WasmMemory {
  readonly buffer: ArrayBuffer;
}
interface WasmTable {
  get(index: number): (...args: number[]) => number;
}
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (...args: never[]) => WasmMemory;
  readonly Table: new (...args: never[]) => WasmTable;
}

interface OpenFile {
  readonly handle: number;
  readonly path: string;
  readonly deleteOnClose: boolean;
}

let loading: Promise<FileBackedSqlite> | null = null;

/** One module a process: sql.js starts only once whatever it is given, so the first `wasmPath` counts. */
export function loadFileBackedSqlite(wasmPath: string): Promise<FileBackedSqlite> {
  return (loading ??= load(wasmPath));
}

async function load(wasmPath: string): Promise<FileBackedSqlite> {
  const wasm = (globalThis as unknown as { readonly WebAssembly: WasmApi }).WebAssembly;
  const compiled = new wasm.Module(readFileSync(wasmPath));
  let memory: WasmMemory | null = null;
  let table: WasmTable | null = null;
  const sql = await initSqlJs({
    instantiateWasm(imports, onDone) {
      const instance = new wasm.Instance(compiled, imports as object);
      // Found by type: the exports' own names are shortened and differ between builds.
      for (const value of Object.values(instance.exports)) {
        if (value instanceof wasm.Memory) memory = value;
        if (value instanceof wasm.Table) table = value;
      }
      onDone(instance as never);
      return {} as never;
    },
  });
  if (memory === null || table === null)
    throw new Error(`${wasmPath} exports no memory or table; it is not the sql-wasm.wasm of the bundled sql.js`);
  const internals = sql as unknown as Internals;
  const files = patchVfs(internals, memory, table, () => {
    const database = new sql.Database();
    return { pointer: (database as unknown as { readonly db: number }).db, close: () => database.close() };
  });
  return {
    open(path) {
      files.expect(path);
      // Given an (empty) image, sql.js makes a file of its own that its close() can unlink without failing.
      return new sql.Database(new Uint8Array(0));
    },
  };
}

function patchVfs(
  internals: Internals,
  memory: WasmMemory,
  table: WasmTable,
  openPlain: () => { readonly pointer: number; close(): void },
): { expect(path: string): void } {
  // Views are made for every use: they go stale whenever the module's memory grows.
  const bytes = (): Uint8Array => new Uint8Array(memory.buffer);
  const words = (): Int32Array => new Int32Array(memory.buffer);
  const word = (index: number): number => words()[index] ?? 0;
  const text = (pointer: number): string => {
    const all = bytes();
    return Buffer.from(all.subarray(pointer, all.indexOf(0, pointer))).toString('utf8');
  };
  const opened = new Map<number, OpenFile>();
  const roots = new Set<string>();
  const isOurs = (name: string): boolean => roots.has(name) || roots.has(name.replace(/-(journal|wal)$/, ''));
  let expected: string | null = null;

  const methods = makeIoMethods(internals, opened, bytes, memory);
  const plain = openPlain();
  const vfs = word(plain.pointer >> 2) >> 2;
  const version = word(vfs + VFS.version);
  if (version < 1 || version > 3 || !text(word(vfs + VFS.name)).startsWith('unix'))
    throw new Error('this build of sql.js lays out its VFS in another way; use the bundled one');
  const original = {
    open: table.get(word(vfs + VFS.open)),
    delete: table.get(word(vfs + VFS.delete)),
    access: table.get(word(vfs + VFS.access)),
    fullPathname: table.get(word(vfs + VFS.fullPathname)),
  };
  const replace = (field: number, signature: string, callback: WasmFunction): void => {
    const index = internals.addFunction(callback, signature);
    words()[vfs + field] = index;
  };

  replace(VFS.fullPathname, 'iiiii', (pVfs: number, name: number, size: number, out: number): number => {
    if (expected === null) return original.fullPathname(pVfs, name, size, out);
    const path = Buffer.from(`${expected}\0`);
    expected = null;
    if (path.length > size) return SQLITE_CANTOPEN;
    bytes().set(path, out);
    return SQLITE_OK;
  });
  replace(VFS.open, 'iiiiii', (pVfs: number, name: number, file: number, flags: number, outFlags: number): number => {
    const path = name === 0 ? null : text(name);
    if (path === null || !isOurs(path)) return original.open(pVfs, name, file, flags, outFlags);
    words()[file >> 2] = 0;
    try {
      const mode =
        ((flags & OPEN_READONLY) !== 0 ? constants.O_RDONLY : constants.O_RDWR) |
        ((flags & OPEN_CREATE) !== 0 ? constants.O_CREAT : 0) |
        ((flags & OPEN_EXCLUSIVE) !== 0 ? constants.O_EXCL : 0);
      opened.set(file, { handle: openSync(path, mode | PLAIN_FILE, 0o600), path, deleteOnClose: (flags & OPEN_DELETEONCLOSE) !== 0 });
    } catch {
      return SQLITE_CANTOPEN; // SQLite reports it; the caller rebuilds the index or gives up
    }
    words()[file >> 2] = methods;
    if (outFlags !== 0) words()[outFlags >> 2] = flags;
    return SQLITE_OK;
  });
  replace(VFS.delete, 'iiii', (pVfs: number, name: number, syncFolder: number): number => {
    const path = text(name);
    if (!isOurs(path)) return original.delete(pVfs, name, syncFolder);
    try {
      unlinkSync(path);
      return SQLITE_OK;
    } catch (error) {
      return errorCode(error) === 'ENOENT' ? IOERR_DELETE_NOENT : IOERR_DELETE;
    }
  });
  replace(VFS.access, 'iiiii', (pVfs: number, name: number, flags: number, out: number): number => {
    const path = text(name);
    if (!isOurs(path)) return original.access(pVfs, name, flags, out);
    // An empty rollback journal counts as none, as in SQLite's own unix VFS.
    words()[out >> 2] = existsSync(path) && (flags !== 0 || statSync(path).size > 0) ? 1 : 0;
    return SQLITE_OK;
  });
  plain.close();

  return {
    expect(path) {
      roots.add(path);
      expected = path;
    },
  };
}

/** Builds one `sqlite3_io_methods` for all our files and gives its address. */
function makeIoMethods(
  internals: Internals,
  opened: ReadonlyMap<number, OpenFile> & Pick<Map<number, OpenFile>, 'delete'>,
  bytes: () => Uint8Array,
  memory: WasmMemory,
): number {
  const guarded = (file: number, failure: number, work: (open: OpenFile) => number): number => {
    const open = opened.get(file);
    if (open === undefined) return failure;
    try {
      return work(open);
    } catch (error) {
      return failure === IOERR_WRITE && errorCode(error) === 'ENOSPC' ? SQLITE_FULL : failure;
    }
  };
  const ok = (): number => SQLITE_OK;
  // In the order of the struct's fields, behind iVersion. `j` is a 64-bit integer and arrives as a bigint.
  const table: readonly (readonly [signature: string, callback: WasmFunction])[] = [
    [
      'ii', // xClose
      (file: number): number =>
        guarded(file, IOERR_CLOSE, (open) => {
          opened.delete(file);
          closeSync(open.handle);
          if (open.deleteOnClose) unlinkSync(open.path);
          return SQLITE_OK;
        }),
    ],
    [
      'iiiij', // xRead
      (file: number, to: number, length: number, offset: bigint): number =>
        guarded(file, IOERR_READ, (open) => {
          const target = bytes();
          const got = readSync(open.handle, target, to, length, Number(offset));
          if (got === length) return SQLITE_OK;
          target.fill(0, to + got, to + length);
          return IOERR_SHORT_READ;
        }),
    ],
    [
      'iiiij', // xWrite
      (file: number, from: number, length: number, offset: bigint): number =>
        guarded(file, IOERR_WRITE, (open) => {
          const source = bytes();
          for (let done = 0; done < length;) done += writeSync(open.handle, source, from + done, length - done, Number(offset) + done);
          return SQLITE_OK;
        }),
    ],
    [
      'iij',
      (file: number, size: bigint): number =>
        guarded(file, IOERR_TRUNCATE, (open) => (ftruncateSync(open.handle, Number(size)), SQLITE_OK)),
    ], // xTruncate
    ['iii', (file: number): number => guarded(file, IOERR_FSYNC, (open) => (fdatasyncSync(open.handle), SQLITE_OK))], // xSync
    [
      'iii', // xFileSize
      (file: number, out: number): number =>
        guarded(file, IOERR_FSTAT, (open) => {
          new DataView(memory.buffer).setBigInt64(out, BigInt(fstatSync(open.handle).size), true);
          return SQLITE_OK;
        }),
    ],
    ['iii', ok], // xLock
    ['iii', ok], // xUnlock
    ['iii', (_file: number, out: number): number => ((new Int32Array(memory.buffer)[out >> 2] = 0), SQLITE_OK)], // xCheckReservedLock
    ['iiii', (): number => SQLITE_NOTFOUND], // xFileControl
    ['ii', (): number => 4096], // xSectorSize
    ['ii', (): number => IOCAP_POWERSAFE_OVERWRITE], // xDeviceCharacteristics
  ];
  const indexes = table.map(([signature, callback]) => internals.addFunction(callback, signature));
  const address = internals._malloc(4 * (table.length + 1));
  new Int32Array(memory.buffer).set([1, ...indexes], address >> 2);
  return address;
}

/** `callgate audit verify`: reads the whole journal and names the first entry that does not fit, or checks one proof without a journal. */
import { isObject } from '#core/model/json.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { errorText, readBounded } from '#home/privateFile.ts';
import { ExportError } from '#node/audit/export/exportError.ts';
import { verifyProof } from '#node/audit/proof.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { verifyJournal, type VerifyOptions } from '#node/audit/verify.ts';
import { type AuditAction, sayingFailures } from '#node/cli/auditAction.ts';
import { localTime } from '#node/cli/auditTable.ts';
import { type CommandHost, print } from '#node/cli/command.ts';
import { resolve } from 'node:path';

export const VERIFY_USAGE = `usage: callgate audit verify [--seal] [--witness FILE] [--json]
       callgate audit verify --proof FILE [--key FILE] [--json]
  --seal: seal closed segments first   --witness: an older statement of keys/journal-checkpoint that was kept elsewhere
  --proof: what callgate audit prove printed; --key: the public key it must be signed with`;
/** A proof carries one entry (1 MiB at most) and a few hashes. */
const MAX_FILE_BYTES = 4 * 1024 * 1024;

interface VerifyWords {
  readonly json: boolean;
  readonly seal: boolean;
  readonly files: Partial<Readonly<Record<'witness' | 'proof' | 'key', string>>>;
}

export const verify: AuditAction = async (args, host) => {
  const words = verifyWords(args);
  if (words === null || (words.files.key !== undefined && words.files.proof === undefined)) {
    print(host.stderr, VERIFY_USAGE);
    return 2;
  }
  return sayingFailures(host, async () => {
    const { proof, key, witness } = words.files;
    if (proof !== undefined) return checkProof(fileText(host, proof), key === undefined ? undefined : fileText(host, key), words, host);
    if (words.seal) await sealJournal(host.layout);
    return checkJournal(witness === undefined ? {} : { witness: witnessFrom(fileText(host, witness), witness) }, words, host);
  });
};

function verifyWords(args: readonly string[]): VerifyWords | null {
  const files: Partial<Record<'witness' | 'proof' | 'key', string>> = {};
  let [json, seal] = [false, false];
  for (let index = 0; index < args.length; index += 1) {
    const name = args[index]?.slice(2);
    if (args[index] === '--json') json = true;
    else if (args[index] === '--seal') seal = true;
    else if (args[index]?.startsWith('--') === true && (name === 'witness' || name === 'proof' || name === 'key')) {
      index += 1;
      const file = args[index];
      if (file === undefined) return null;
      files[name] = file;
    } else return null;
  }
  return { json, seal, files };
}

function fileText({ cwd }: CommandHost, name: string): string {
  const file = resolve(cwd, name);
  let bytes: Buffer | null;
  try {
    bytes = readBounded(file, MAX_FILE_BYTES);
  } catch (error) {
    throw new ExportError('TARGET', `${file} cannot be read (${errorText(error)})`, error);
  }
  if (bytes === null) throw new ExportError('TARGET', `there is no file ${file}`);
  return bytes.toString('utf8');
}

/** The newest of the statements in the file. */
function witnessFrom(text: string, name: string): NonNullable<VerifyOptions['witness']> {
  let newest: NonNullable<VerifyOptions['witness']> | null = null;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    try {
      const value: unknown = JSON.parse(line);
      if (
        isObject(value) &&
        typeof value['count'] === 'number' &&
        typeof value['head'] === 'string' &&
        value['count'] >= (newest?.count ?? 0)
      )
        newest = { count: value['count'], head: value['head'] };
    } catch (error) {
      throw new ExportError('TARGET', `${name} is no checkpoint statement (${errorText(error)})`, error);
    }
  }
  if (newest === null) throw new ExportError('TARGET', `${name} is no checkpoint statement`);
  return newest;
}

async function checkJournal(options: VerifyOptions, words: VerifyWords, { layout, stdout, stderr }: CommandHost): Promise<number> {
  const report = await verifyJournal(layout, options);
  if (words.json) print(stdout, JSON.stringify(report));
  else if (report.problem === null)
    print(
      stdout,
      `The journal in ${layout.journal} is whole: ${report.entries} ${report.entries === 1 ? 'entry' : 'entries'}, every hash, link and signature fits.`,
    );
  else {
    const { seq, file, line, code, message } = report.problem;
    print(stderr, `The journal was tampered with or damaged. First bad entry: ${seq} (${file}:${line}) ${code}: ${message}`);
  }
  return report.ok ? 0 : 1;
}

function checkProof(text: string, key: string | undefined, words: VerifyWords, { stdout, stderr }: CommandHost): number {
  const result = verifyProof(text, key);
  if (words.json) print(stdout, JSON.stringify({ ok: result.problem === null, ...result }));
  else if (result.problem === null) {
    const { entry, statement } = result;
    print(
      stdout,
      `Entry ${entry.seq} of ${localTime(entry.time)} is proven: it is one of ${statement.count} entries signed with the key ${statement.key}.` +
        (key === undefined ? ' Whose key that is, the proof does not say: name the one you know with --key.' : ''),
    );
  } else print(stderr, `This proves nothing: ${visibleLine(result.problem, 500)}.`);
  return result.problem === null ? 0 : 1;
}

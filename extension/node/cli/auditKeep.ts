/** `callgate audit prove`, `seal`, `expire` and `rotate-key`: what is done with the journal as a whole. */
import { packJournal } from '#node/audit/packing.ts';
import { expire as expireSegments, planExpiry, unsettledCalls } from '#node/audit/retention.ts';
import { proofText, proveEntry } from '#node/audit/proof.ts';
import { rotateKey as rotateJournalKey } from '#node/audit/rotation.ts';
import { sealJournal } from '#node/audit/seals.ts';
import { type AuditAction, sayingFailures } from '#node/cli/auditAction.ts';
import { parseSpan } from '#node/cli/auditTime.ts';
import { print } from '#node/cli/command.ts';

export const PROVE_USAGE = 'usage: callgate audit prove SEQ > proof.json';
export const SEAL_USAGE = 'usage: callgate audit seal [--pack] [--json]   (--pack: also compress sealed segments)';
export const EXPIRE_USAGE = 'usage: callgate audit expire [--older-than 90d] [--keep-megabytes 500] [--yes] [--json]';
export const ROTATE_USAGE = 'usage: callgate audit rotate-key [--json]';
const DAY_MS = 86_400_000;

export const prove: AuditAction = async (args, host) => {
  const [word = '', ...others] = args;
  if (!/^[1-9]\d{0,14}$/.test(word) || others.length > 0) {
    print(host.stderr, PROVE_USAGE);
    return 2;
  }
  return sayingFailures(host, async () => {
    host.stdout.write(proofText(await proveEntry(host.layout, Number(word))));
    return 0;
  });
};

export const seal: AuditAction = async (args, host) => {
  if (args.some((arg) => arg !== '--pack' && arg !== '--json')) {
    print(host.stderr, SEAL_USAGE);
    return 2;
  }
  return sayingFailures(host, async () => {
    const { sealed } = await sealJournal(host.layout);
    const packed = args.includes('--pack') ? await packJournal(host.layout) : [];
    if (args.includes('--json')) print(host.stdout, JSON.stringify({ sealed, packed }));
    else
      print(host.stdout, `${segments(sealed.length)} sealed${args.includes('--pack') ? `, ${segments(packed.length)} compressed` : ''}.`);
    return 0;
  });
};

export const rotateKey: AuditAction = async (args, host) => {
  if (args.some((arg) => arg !== '--json')) {
    print(host.stderr, ROTATE_USAGE);
    return 2;
  }
  return sayingFailures(host, async () => {
    const rotation = await rotateJournalKey(host.layout);
    const { from, to, seq } = rotation;
    print(
      host.stdout,
      args.includes('--json')
        ? JSON.stringify(rotation)
        : `Entries are now signed with the key ${to} instead of ${from}; entry ${seq} says so.`,
    );
    return 0;
  });
};

/** Shows what would go; drops it only with `--yes`. */
export const expire: AuditAction = async (args, host) => {
  const limits = expiryLimits(args);
  if (limits === null) {
    print(host.stderr, EXPIRE_USAGE);
    return 2;
  }
  const { layout, stdout } = host;
  return sayingFailures(host, async () => {
    const now = Date.now();
    const unsettled = unsettledCalls(layout, now);
    const plan = await planExpiry(layout, limits, now, unsettled);
    const dropped = args.includes('--yes') ? await expireSegments(layout, plan, unsettled) : null;
    if (args.includes('--json')) {
      print(stdout, JSON.stringify({ ...plan, dropped }));
      return 0;
    }
    for (const { segment, first, last, bytes, reason } of dropped ?? plan.expiries)
      print(stdout, `segment ${segment}, entries ${first} to ${last}, ${(bytes / 1e6).toFixed(1)} MB: ${reason}`);
    if (plan.kept !== '') print(stdout, plan.kept);
    if (dropped !== null) print(stdout, `${segments(dropped.length)} dropped; signed tombstones stay in their place.`);
    else if (plan.expiries.length === 0) print(stdout, 'Nothing would be dropped.');
    else print(stdout, `Nothing was changed. To drop ${plan.expiries.length === 1 ? 'it' : 'them'} for good, say the same with --yes.`);
    return 0;
  });
};

function expiryLimits(args: readonly string[]): { readonly maxDays: number | null; readonly maxMegabytes: number | null } | null {
  let [maxDays, maxMegabytes]: [number | null, number | null] = [null, null];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--yes' || arg === '--json') continue;
    index += 1;
    const value = args[index] ?? '';
    const span = parseSpan(value);
    if (arg === '--older-than' && span !== null && span > 0) maxDays = span / DAY_MS;
    else if (arg === '--keep-megabytes' && /^[1-9]\d{0,8}$/.test(value)) maxMegabytes = Number(value);
    else return null;
  }
  return maxDays === null && maxMegabytes === null ? null : { maxDays, maxMegabytes };
}

const segments = (count: number): string => (count === 1 ? '1 segment was' : `${count} segments were`);

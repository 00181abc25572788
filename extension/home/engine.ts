/** The gate with this machine's rules, links and folders: `decide` for callers that live on a real disk. */
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync, realpathSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { decide } from '#core/gate.ts';
import type { RulePack } from '#core/detect/rulePack.ts';
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import { isObject, type JsonValue } from '#core/model/json.ts';
import type { Decision } from '#core/model/verdict.ts';
import { scrub } from '#core/policy/redact.ts';
import { BUILT_IN_POLICY, NO_POLICY, type Policy } from '#core/policy/policy.ts';
import { normalize } from '#core/normalize/normalize.ts';
import type { Fields } from '#core/normalize/fields.ts';
import type { CustomPlace } from '#home/customRulesFiles.ts';
import { openCustomState } from '#home/customRulesState.ts';
import type { Layout } from '#home/layout.ts';
import { guardedName } from '#home/hardLinks.ts';
import { errorText } from '#home/privateFile.ts';
import { loadCompiler, type RuleCompiler } from '#home/ruleCompiler.ts';
import { loadRules } from '#home/ruleFile.ts';

export interface Engine {
  /** Never throws: a failing engine blocks. */
  readonly decide: (call: ToolCall) => Decision;
  /**
   * The same with findings of an earlier time about text that is not in the call any more. Those of rules that are not in
   * force now do not count; the others count as their rule stands now.
   */
  readonly decideAgain: (call: ToolCall, earlier: readonly Finding[]) => Decision;
  /** See `scrub` in core/policy/redact. Without rules nothing can be told from a secret, and every text is withheld. */
  readonly scrub: (value: JsonValue, hash: (text: string) => string) => JsonValue;
  /** What the normalizer makes of a call, for people who want to see it. */
  readonly fieldsOf: (call: ToolCall) => Fields;
  /** In force for calls made in this folder. */
  readonly policyFor: (cwd: string) => Policy;
  /** In force at the moment, with the user's own. */
  readonly rules: () => number;
  /**
   * Null, or what of the rules or the policy is not as it should be: older ones, none, or a broken file of the user's or of a
   * workspace seen so far; `folder`: also of the workspace it is in.
   */
  readonly problem: (folder?: string) => string | null;
}

export interface EngineOptions {
  /** See `loadRules`' `checked`. */
  readonly checkedHash?: string;
  /** Where the user's own rules and policy are, unless in the data folder. */
  readonly own?: CustomPlace;
  /** Compiles them; by default the bundle beside the rules, loaded when it is needed. */
  readonly compiler?: () => RuleCompiler;
}

export function openEngine(layout: Layout, rulesFile: string, options: EngineOptions = {}): Engine {
  const { pack, problem, damaged } = loadRules(layout, rulesFile, options.checkedHash);
  /** Of all rules, read whole and checked, once a rule was not what the build had checked; null as long as all were. */
  let whole: Engine | null = null;
  const instead = (): Engine | null => (damaged() ? (whole ??= openEngine(layout, rulesFile, { ...options, checkedHash: '' })) : null);
  if (pack === null)
    return {
      decide: (call) => withoutRules(call, problem ?? ''),
      scrub: withheld,
      decideAgain: (call) => withoutRules(call, problem ?? ''),
      fieldsOf: () => ({ texts: [], commands: [], paths: [], urls: [], effects: [], notes: [] }),
      policyFor: () => NO_POLICY,
      rules: () => 0,
      problem: () => problem,
    };
  const custom = openCustomState(
    layout,
    {
      copies: join(layout.root, 'rules-compiled'),
      shipped: { hash: pack.hash, ids: () => new Set(Array.from({ length: pack.size }, (_, number) => pack.rule(number).id)) },
      compiler: options.compiler ?? (() => loadCompiler(dirname(rulesFile))),
    },
    options.own,
  );
  const machine = {
    home: layout.home,
    dataFolder: layout.root,
    caseInsensitivePaths: process.platform === 'darwin' || process.platform === 'win32',
    realpath: (path: string) => guardedName(realPrefix(path), layout.home, layout.root),
    readText,
  };
  /** Where a shipped rule is in its pack; made when the first earlier finding comes. */
  let numbers: ReadonlyMap<string, number> | null = null;
  const asItStands = (finding: Finding, packs: readonly RulePack[]): Finding[] => {
    numbers ??= new Map(Array.from({ length: pack.size }, (_, number) => [pack.rule(number).id, number]));
    const number = numbers.get(finding.rule);
    const own = packs.flatMap((one) => Array.from({ length: one.size }, (_, at) => one.rule(at))).find(({ id }) => id === finding.rule);
    const rule = number === undefined ? own : pack.rule(number);
    return rule === undefined ? [] : [{ ...finding, severity: rule.severity, status: rule.status }];
  };
  const judged = (call: ToolCall, earlier: readonly Finding[]): Decision => {
    try {
      const own = custom.forFolder(call.cwd);
      const again = earlier.flatMap((finding) => asItStands(finding, own.custom));
      return decide(call, { pack, ...machine, ...own, ...(again.length === 0 ? {} : { standing: [...(own.standing ?? []), ...again] }) });
    } catch (error) {
      return blocked(
        'engine.failed',
        'The gate failed',
        `Callgate's gate failed on this call (${errorText(error)}), so it was refused. Report this to Callgate; a simpler call may pass.`,
      );
    }
  };
  const scrubbed: Engine['scrub'] = (value, hash) => {
    try {
      return scrub(value, pack, hash);
    } catch {
      return withheld(value); // a fault of ours must not put a secret on the disk
    }
  };
  return {
    decide: (call) => {
      const decision = judged(call, []);
      return instead()?.decide(call) ?? decision;
    },
    decideAgain: (call, earlier) => {
      const decision = judged(call, earlier);
      return instead()?.decideAgain(call, earlier) ?? decision;
    },
    scrub: (value, hash) => {
      const clean = scrubbed(value, hash);
      return instead()?.scrub(value, hash) ?? clean;
    },
    fieldsOf: (call) => normalize(call, machine),
    policyFor: (cwd) => custom.forFolder(cwd).policy,
    rules: () => pack.size + custom.rules(),
    problem: (folder) => {
      const other = instead();
      if (other !== null) return other.problem(folder);
      if (folder !== undefined) custom.forFolder(folder);
      return [...(problem === null ? [] : [problem]), ...custom.problems()].join('\n') || null;
    },
  };
}

/** The same shape with every text taken out. */
function withheld(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value === '' ? '' : '[withheld]';
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(withheld);
  if (!isObject(value)) return value;
  const members = Object.entries(value);
  return Object.fromEntries(members.map(([key, member], index) => [key.length > 20 ? `[withheld ${index}]` : key, withheld(member)]));
}

/** Only reading a file is let through unjudged: it changes nothing and leaves the user able to look for the fault. */
function withoutRules(call: ToolCall, problem: string): Decision {
  if (call.channel === 'read') return { verdict: 'clean', findings: [], reason: '', rules: '', policy: BUILT_IN_POLICY };
  return blocked('engine.no-rules', 'No rules', `Callgate has no usable rules, so only reading is possible. ${problem}`);
}

/** Calls over the MCP relay that are refused without a look at their arguments: rule and title. */
export const UNASKED = {
  'engine.no-hook': 'No hook asked about this call',
  'engine.definition': 'The tool is not approved',
} as const;

export function blocked(rule: string, title: string, reason: string): Decision {
  const finding = {
    rule,
    title,
    category: 'engine',
    severity: 'critical',
    confidence: 'high',
    status: 'stable',
    rationale: reason,
    at: '',
    span: null,
    matched: '',
    decoded: null,
  } as const;
  return { verdict: 'block', findings: [finding], reason, rules: '', policy: BUILT_IN_POLICY };
}

/** As many links as Linux follows before it gives up. */
const MAX_LINKS = 40;

/** The real path of the longest existing prefix with the rest appended; null when it cannot be told. */
export function realPrefix(absolute: string): string | null {
  const rest: string[] = [];
  let here = absolute;
  let links = 0;
  // Ends at the root, which always exists.
  for (;;) {
    try {
      return join(realpathSync.native(here), ...rest.reverse());
    } catch {
      // A link whose target does not exist yet still says where a write would go.
      const target = linkTarget(here);
      const parent = dirname(here);
      if (target !== null && links++ < MAX_LINKS) here = resolve(parent, target);
      else if (target !== null || parent === here) return null;
      else {
        rest.push(basename(here));
        here = parent;
      }
    }
  }
}

function linkTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // not a link, or not there
  }
}

/** The start of a regular file; a pipe or a device is never opened to be waited on. */
export function readText(absolute: string, most: number): { text: string; whole: boolean } | null {
  let file: number;
  try {
    file = openSync(absolute, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0));
  } catch {
    return null; // not there, or not ours to read: whoever runs it meets the same
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    const size = stat.size;
    const bytes = Buffer.alloc(Math.min(size, most));
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(file, bytes, read, bytes.length - read, read);
      if (more === 0) break;
      read += more;
    }
    return { text: bytes.subarray(0, read).toString('utf8'), whole: size <= most };
  } catch {
    return null; // a disk that fails here fails for the script's interpreter too
  } finally {
    closeSync(file);
  }
}

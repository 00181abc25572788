/** No secret of any rule's example is left in what is kept of a call: arguments, findings, names, folders, ids. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ToolCall } from '#core/model/call.ts';
import type { JsonValue } from '#core/model/json.ts';
import { isSecretFinding, redact, redactBeside, scrub } from '#core/policy/redact.ts';
import { stringAt } from '#core/normalize/pointer.ts';
import { callOf } from '#node/rulepack/examples.ts';
import { expandSample } from '#node/rulepack/sampleGenerators.ts';
import { compiledRules, context, judge } from '../gateKit.ts';

const hash = (secret: string): string => `h${secret.length}`;
/** Shorter texts are only replaced where they were found. */
const MIN = 6;

const EXAMPLES = [...compiledRules.examples]
  .filter(([rule]) => /^(?:secrets|pii)/u.test(rule))
  .flatMap(([rule, examples]) => examples.match.map((example) => [rule, callOf(example)] as const));

/** What the findings point at, as it stands in the arguments. */
function plantedIn(call: ToolCall, rule: string): string[] {
  return judge(call)
    .findings.filter((finding) => finding.rule === rule && isSecretFinding(finding))
    .map((finding) => (finding.span === null ? '' : (stringAt(call.args, finding.at) ?? '').slice(finding.span.start, finding.span.end)))
    .filter((secret) => secret.length >= MIN);
}

const forms = (secret: string): string[] => [secret, JSON.stringify(secret).slice(1, -1)];

function leaks(kept: JsonValue, secrets: readonly string[]): string[] {
  const written = JSON.stringify(kept);
  return secrets.filter((secret) => forms(secret).some((form) => written.includes(form)));
}

describe('what is kept of a call', () => {
  it('has examples of every rule for secrets to be tried with', () => {
    expect(new Set(EXAMPLES.map(([rule]) => rule)).size).toBeGreaterThan(200);
    expect(EXAMPLES.filter(([rule, call]) => plantedIn(call, rule).length === 0).map(([rule]) => rule)).toEqual([]);
  });
  it('holds no secret that was found, wherever else the call carries it', () => {
    const left: string[] = [];
    for (const [rule, call] of EXAMPLES) {
      const { findings, reason } = judge(call);
      const secrets = plantedIn(call, rule);
      const first = secrets[0] ?? '';
      const args = { ...(call.args as Record<string, JsonValue>), echo: [first, { [`${first}/x`]: 1 }] };
      const beside = { findings: findings as unknown as JsonValue, reason, tool: `t ${first}`, session: first, cwd: `/home/dev/${first}` };
      const kept = { args: redact(args, findings, hash), beside: redactBeside(beside, call.args, findings, hash) };
      if (leaks(kept, secrets).length > 0) left.push(`${rule} ${JSON.stringify(call.args).slice(0, 120)}`);
    }
    expect(left).toEqual([]);
  });
  it('holds none in parts that nobody judged', () => {
    const left: string[] = [];
    for (const [rule, call] of EXAMPLES) {
      const text = Object.values(call.args as Record<string, JsonValue>).join('\n');
      const secrets = plantedIn({ ...call, channel: 'other', args: { text } }, rule);
      if (leaks(scrub({ cwd: text, list: [{ [text]: true }] }, context.pack, hash), secrets).length > 0) left.push(rule);
    }
    expect(left).toEqual([]);
  });
  it('hides them also as addresses, pointers and JSON texts write them', () => {
    const secret = expandSample('Vq7/~+${alnum:12}');
    const args = { text: `password: "${secret}"` };
    const { findings } = judge({ channel: 'mcp', server: 's', args });
    const written = [
      `/a/${secret.replaceAll('~', '~0').replaceAll('/', '~1')}`,
      `https://a.example/?p=${encodeURIComponent(secret)}`,
      JSON.stringify({ secret }),
    ];
    const kept = JSON.stringify(redactBeside(written, args, findings, hash));
    expect(kept).not.toContain(secret.slice(6));
    expect(kept).toContain('https://a.example/?p=[secret ');
  });
  it('is left as it is where there is nothing to hide', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z ]{0,30}$/u)), (words) => {
        expect(scrub(words, context.pack, hash)).toEqual(words);
      }),
    );
  });
  it('has no token left that is a key of its own', () => {
    const args = { [expandSample('${checked:github:ghp_}')]: { a: 1 } };
    const { findings } = judge({ channel: 'mcp', server: 's', args });
    expect(findings.map((finding) => finding.rule)).toContain('secrets-code.github-genuine');
    expect(JSON.stringify([redact(args, findings, hash), findings])).not.toContain(Object.keys(args)[0]);
  });
});

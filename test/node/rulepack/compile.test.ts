import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseRulePack } from '#core/detect/packFile.ts';
import { compileRules } from '#node/rulepack/compile.ts';
import { slowness } from '#node/rulepack/regexPump.ts';
import { regexProblem } from '#node/rulepack/regexCheck.ts';
import * as shape from '#node/rulepack/ruleShape.ts';
import { expandSample } from '#node/rulepack/sampleGenerators.ts';

const GOOD = `version: 1
rules:
  - id: demo.one
    title: T
    category: ssrf
    severity: high
    confidence: high
    status: stable
    channels: [shell]
    match:
      field: command
      regex: 'x{1,3}y'
    rationale: R
    examples:
      match:
        - text: xy
        - text: xxy
      no_match:
        - text: y
          why: no x
        - text: x
          why: no y
`;
const compile = (text: string, file = 'rules/demo.yaml'): ReturnType<typeof compileRules> => compileRules([{ file, text }]);

describe('a rule file', () => {
  it('that is right becomes a pack that parses', () => {
    const { json, problems } = compile(GOOD);
    expect(problems).toEqual([]);
    const { pack, problems: unread } = parseRulePack(JSON.parse(JSON.stringify(json)));
    expect(unread).toEqual([]);
    expect([pack?.hash, pack?.size, pack?.rule(0)]).toEqual([json.hash, 1, json.rules[0]]);
    expect(json.rules.map((rule) => rule.id)).toEqual(['demo.one']);
  });

  it.each([
    ['severity: high', 'severty: high', 5, 'unknown key `severty`; did you mean `severity`?', 'rules/demo.yaml', 7],
    ['regex:', 'regexp:', 5, 'unknown key `regexp`; did you mean `regex`?', 'rules/demo.yaml', 12],
    ['id: demo.one', 'id: other.one', 1, "must start with the file's name", 'rules/demo.yaml', 3],
    ["'x{1,3}y'", "'(x'", 1, 'not a valid regex', 'rules/demo.yaml', 12],
    ["'x{1,3}y'", "'x*y'", 1, 'unbounded repeats', 'rules/demo.yaml', 12],
    ['          why: no x\n', '', 1, 'needs a `why`', 'rules/demo.yaml', 19],
    ['        - text: xxy\n', '', 1, 'needs at least 2', 'rules/demo.yaml', 17],
    ['severity: high', 'severity: fatal', 1, '`severity` must be one of', 'rules/demo.yaml', 6],
    ['version: 1', 'version: 2', 1, '`version` must be 1', 'rules/demo.yaml', 1],
    ['      field: command\n', '', 1, 'needs a `field`', 'rules/demo.yaml', 11],
    ['rationale: R', 'rationale: [', 1, '', 'rules/demo.yaml', 14],
  ] as const)('with %s changed to %s says what is wrong and where', (from, to, _, message, file, line) => {
    const { problems } = compile(GOOD.replace(from, to));
    expect(problems.map((problem) => problem.message).join('\n')).toContain(message);
    expect(problems.every((problem) => problem.file === file)).toBe(true);
    expect(problems.some((problem) => Math.abs(problem.line - line) <= 2)).toBe(true);
  });

  it('may not use an id twice', () => {
    const twice = GOOD + GOOD.split('\n').slice(2).join('\n');
    expect(compile(twice).problems.map((problem) => problem.message)).toEqual([
      'the id demo.one is already used in rules/demo.yaml; ids are never reused',
    ]);
  });
});

describe('the hash of a pack', () => {
  it('names its content, not the order of its files', () => {
    const a = { file: 'rules/demo.yaml', text: GOOD };
    const b = { file: 'rules/other.yaml', text: GOOD.replaceAll('demo.', 'other.') };
    expect(compileRules([a, b]).json.hash).toBe(compileRules([b, a]).json.hash);
    expect(compileRules([a]).json.hash).not.toBe(compileRules([b]).json.hash);
  });
});

describe('a compiled pack', () => {
  const rule = compile(GOOD).json.rules[0];
  it.each([
    null,
    [],
    {},
    { version: 2 },
    { version: 1, hash: 'x', rules: [] },
    { version: 1, hash: 'x', rules: [{}] },
    { version: 1, hash: 'x', rules: [{ ...rule, severity: 'x' }] },
    { version: 1, hash: 'x', rules: [rule, rule] },
    { version: 1, hash: 'x', rules: [{ ...rule, match: { kind: 'any', of: [] } }] },
  ])('is refused when malformed: %#', (json) => {
    const { pack, problems } = parseRulePack(json);
    expect(pack).toBeNull();
    expect(problems.length).toBeGreaterThan(0);
  });
});

describe('regexes of rules', () => {
  it.each([
    ['a{1,20}b', null],
    ['[*+]x', null],
    ['\\*\\+', null],
    ['a+', 'unbounded'],
    ['(a{0,3})*', 'unbounded'],
    ['a{2,}', 'open repeat'],
    ['a{9999}', 'more than'],
    ['(', 'not a valid'],
    ['(?:a{1,30}){1,30}', 'nested'],
    ['(?:a|a){1,40}', null],
  ] as const)('%s', (regex, problem) => {
    if (problem === null) expect(regexProblem(regex, '')).toBeNull();
    else expect(regexProblem(regex, '')).toContain(problem);
  });
});

describe('how long regexes take', () => {
  it.each([
    ['a{1,20}b', 'quick'],
    ['(?:foo|bar){1,20}baz', 'quick'],
    ['"[^"]{0,400}"', 'quick'],
    ['(?:\\w{1,20} ){0,6}x', 'quick'],
    ['a{0,180}a{0,180}b', 'slow'],
    ['x{0,200}y{0,4}x{0,200}x{0,100}z', 'slow'],
    ['(?:a|a){1,40}b', 'slow'],
    ['(?:\\w{1,20}\\s{0,3}){0,9}!', 'slow'],
  ] as const)('%s is %s', (regex, speed) => {
    expect(slowness(regex, '') === null ? 'quick' : 'slow').toBe(speed);
  });
  it('is not left open where it cannot be told', () => {
    expect(slowness('(?i:a)b', '')).toContain('cannot be checked');
  });
});

describe('the editor schema', () => {
  it('knows the same keys as the compiler', () => {
    const schema = JSON.parse(readFileSync(new URL('../../../rules/rule.schema.json', import.meta.url), 'utf8')) as {
      properties: object;
      $defs: Record<string, { properties: Record<string, { properties?: object; items?: { properties: object } }> }>;
    };
    const keys = (value: object | undefined): string[] => Object.keys(value ?? {}).sort();
    const defs = schema.$defs;
    const sorted = (known: readonly string[]): string[] => [...known].sort();
    expect({
      file: keys(schema.properties),
      rule: keys(defs['rule']?.properties),
      match: keys(defs['rule']?.properties['match']?.properties),
      condition: keys(defs['condition']?.properties),
      command: keys(defs['command']?.properties),
      path: keys(defs['path']?.properties),
      url: keys(defs['url']?.properties),
      secret: keys(defs['condition']?.properties['secret']?.properties),
      examples: keys(defs['rule']?.properties['examples']?.properties),
    }).toEqual({
      file: sorted(shape.FILE_KEYS),
      rule: sorted(shape.RULE_KEYS),
      match: sorted(shape.MATCH_KEYS),
      condition: sorted(shape.CONDITION_KEYS),
      command: sorted(shape.COMMAND_KEYS),
      path: sorted(shape.PATH_KEYS),
      url: sorted(shape.URL_KEYS),
      secret: sorted(shape.SECRET_KEYS),
      examples: sorted(shape.EXAMPLES_KEYS),
    });
  });
});

describe('samples', () => {
  it('are the same every time and leave shell variables alone', () => {
    expect(expandSample('${alnum:12} ${HOME} ${b64:hi} ${char:200b}')).toBe(expandSample('${alnum:12} ${HOME} ${b64:hi} ${char:200b}'));
    expect(expandSample('${hex:8}')).toMatch(/^[0-9a-f]{8}$/u);
    expect(expandSample('${HOME} ${b64:hi} ${X:-1}')).toBe('${HOME} aGk= ${X:-1}');
  });
});

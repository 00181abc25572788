/** What `callgate check --explain` prints: how a call was read, what was seen in it, and why that gives the verdict. */
import type { ToolCall } from '#core/model/call.ts';
import type { Finding } from '#core/model/finding.ts';
import type { Decision } from '#core/model/verdict.ts';
import type { CommandField, Fields, PathField, Place, UrlField } from '#core/normalize/fields.ts';
import { stringAt } from '#core/normalize/pointer.ts';
import { BUILT_IN_POLICY } from '#core/policy/policy.ts';
import { visibleLine } from '#core/policy/visibleText.ts';

const MAX_ITEMS = 40;
const MAX_TEXT = 300;
/** How much of the original stands on either side of a match. */
const AROUND = 48;
/** Marks the matched stretch. What an agent wrote may hold the same signs; the line below it has the offsets. */
const [OPEN, CLOSE] = ['⟦', '⟧'];

const safe = (text: string, limit = MAX_TEXT): string => visibleLine(text, limit);

/** Everything that came with the call is made visible: no control character, nothing that hides or turns text around. */
export function explain(call: ToolCall, fields: Fields, decision: Decision): string {
  return [
    `call      ${call.channel} ${safe(call.tool)}${call.server === null ? '' : ` on ${safe(call.server)}`}${call.cwd === '' ? '' : ` in ${safe(call.cwd)}`}`,
    ...section('commands', fields.commands.map(commandLines)),
    ...section(
      'effects',
      unique(fields.effects.map(({ effect, target }) => `${effect} ${target === '' ? '(unknown)' : safe(target)}`)).map((line) => [line]),
    ),
    ...section(
      'paths',
      unique(fields.paths.map(pathLine)).map((line) => [line]),
    ),
    ...section(
      'addresses',
      unique(fields.urls.map(urlLine)).map((line) => [line]),
    ),
    ...section(
      'decoded',
      fields.texts.filter((text) => text.derived).map((text) => [`${text.field} from ${placeText(text)}: ${safe(text.text)}`]),
    ),
    ...section(
      'matched',
      decision.findings.map((finding) => findingLines(call, finding)),
    ),
    '',
    `verdict   ${decision.verdict.toUpperCase()}`,
    `because   ${why(decision)}`,
    ...(decision.policy === BUILT_IN_POLICY ? [] : [`policy    ${decision.policy}`]),
  ].join('\n');
}

function section(title: string, items: readonly (readonly string[])[]): readonly string[] {
  if (items.length === 0) return [];
  const shown = items.slice(0, MAX_ITEMS).flatMap((lines) => lines.map((line, at) => `  ${at === 0 ? '' : '    '}${line}`));
  return ['', title, ...shown, ...(items.length > MAX_ITEMS ? [`  … and ${items.length - MAX_ITEMS} more`] : [])];
}

const unique = (lines: readonly string[]): string[] => [...new Set(lines)];

function commandLines(command: CommandField): string[] {
  const list = (name: string, items: readonly string[]): string[] =>
    items.length === 0 ? [] : [`${name.padEnd(9)} ${safe(items.join(' '))}`];
  return [
    safe(command.program === '' ? '(no program)' : command.program),
    ...list('assigns', command.assigns),
    ...list('flags', [...command.flags].sort()),
    ...list('operands', command.operands),
    ...list(
      'redirects',
      command.redirects.map(({ op, target }) => `${op} ${target}`),
    ),
    ...list('stdin', command.stdin),
    ...list(
      'reads',
      command.from.map((from) => `from ${from.program}`),
    ),
    ...list(
      'feeds',
      command.to.map((to) => to.program),
    ),
  ];
}

const pathLine = (path: PathField): string =>
  `${path.access.padEnd(8)} ${safe(path.text)}${path.traits.size === 0 ? '' : ` (${[...path.traits].join(', ')})`}`;

function urlLine(url: UrlField): string {
  const parts = [
    `${url.scheme} host ${url.host}${url.port === '' ? '' : ` port ${url.port}`}`,
    url.path === '' ? '' : `path ${url.path}`,
    url.query === '' ? '' : `query ${url.query}`,
    url.userinfo === '' ? '' : `user ${url.userinfo}`,
    url.kinds.size === 0 ? '' : `(${[...url.kinds].join(', ')})`,
  ];
  return safe(parts.filter((part) => part !== '').join(' '));
}

const placeText = ({ at, span }: Place): string =>
  `${at === '' ? 'the call' : safe(at, 80)}${span === null ? '' : ` ${span.start}–${span.end}`}`;

function findingLines(call: ToolCall, finding: Finding): string[] {
  const status = finding.status === 'stable' ? '' : `, ${finding.status}`;
  return [
    `${finding.rule}  ${finding.title} (${finding.severity}, confidence ${finding.confidence}${status})`,
    `at        ${placeText(finding)}`,
    ...marked(call, finding),
    ...(finding.decoded === null || finding.decoded === finding.matched ? [] : [`read as   ${safe(finding.decoded)}`]),
    `why       ${finding.rationale}`,
  ];
}

/** The original with the matched stretch marked; what matched, where there is no one place. */
function marked(call: ToolCall, { at, span, matched }: Finding): string[] {
  const whole = stringAt(call.args, at);
  if (span === null || whole === null) return matched === '' ? [] : [`matched   ${safe(matched)}`];
  const before = whole.slice(Math.max(0, span.start - AROUND), span.start);
  const after = whole.slice(span.end, span.end + AROUND);
  const [lead, tail] = [span.start > AROUND ? '…' : '', span.end + AROUND < whole.length ? '…' : ''];
  return [`original  ${lead}${safe(before)}${OPEN}${safe(whole.slice(span.start, span.end))}${CLOSE}${safe(after)}${tail}`];
}

function why(decision: Decision): string {
  if (decision.findings.length === 0) return 'no rule saw anything in this call.';
  if (decision.verdict === 'clean') return 'what was seen is only noted.';
  return decision.reason;
}

/** A session's story as lines of text: prompt, call, verdict, approval, result, next call; subagents further in. */
import type { AuditEntry } from '#contract/auditRecord.ts';
import { durationText, happenedText, outcomeText, resultText, waitedMs, type SessionLine } from '#contract/sessionStory.ts';
import { visibleLine } from '#core/policy/visibleText.ts';
import { askedText, ruleIds } from '#node/audit/export/entryText.ts';

const MOST_SHOWN = 240;
const INDENT = '    ';

const two = (value: number): string => String(value).padStart(2, '0');

function clock(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? String(ms) : `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const short = (text: string): string => {
  const shown = visibleLine(text, MOST_SHOWN);
  return shown.length > MOST_SHOWN ? `${shown.slice(0, MOST_SHOWN - 1)}…` : shown;
};

export function toolText(entry: AuditEntry): string {
  const tool = visibleLine(entry.tool === '' ? '(unnamed tool)' : entry.tool, 80);
  return entry.server === null ? tool : `${visibleLine(entry.server, 60)} › ${tool}`;
}

/** The lines of one step, the first with its time and its number in the record. */
export function stepText({ step, depth }: SessionLine): readonly string[] {
  const inside = INDENT.repeat(depth);
  const { first } = step;
  const head = (mark: string, text: string): string => `${clock(first.time)}  ${inside}${mark} ${text}  #${first.seq}`.trimEnd();
  const more = (text: string): string => `          ${inside}  ${text}`;
  if (step.kind !== 'call') {
    const mark = { prompt: '>', session: '-', other: '*' }[step.kind];
    return [head(mark, short(happenedText(first)))];
  }
  const { call, ends, responses, after } = step;
  const lines = [
    head('+', call === null ? `${toolText(first)} (its call is not in the record)` : `${toolText(call)}  ${short(askedText(call))}`),
  ];
  if (after !== null) lines.push(more(`after reading what entry ${after.seq} brought (${toolText(after)}): ${why(after)}`));
  if (call !== null) {
    lines.push(more(`${call.verdict}, ${outcomeText(call)}${call.findings.length === 0 ? '' : `: ${why(call)}`}`));
    if (call.note !== '') lines.push(more(`note: ${short(call.note)}`));
  }
  for (const end of ends) {
    const waited = end.kind === 'hold' ? waitedMs([end]) : null;
    lines.push(
      more(`${outcomeText(end)}${waited === null ? '' : ` after ${durationText(waited)}`}${end.note === '' ? '' : `: ${short(end.note)}`}`),
    );
  }
  for (const response of responses) {
    const seen = response.verdict === 'clean' ? '' : `  [${response.verdict}: ${why(response)}; ${outcomeText(response)}]`;
    lines.push(more(`= ${short(resultText(response))}${seen}  #${response.seq}`));
  }
  return lines;
}

function why(entry: AuditEntry): string {
  const title = entry.findings[0]?.title;
  return title === undefined
    ? visibleLine(entry.reason, MOST_SHOWN)
    : `${visibleLine(title, 160)} (${visibleLine(ruleIds(entry).join(', '), 160)})`;
}

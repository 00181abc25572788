/**
 * SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/): one run, one result a finding. Entries without a finding
 * are not in it. Results come first and the rules after them, because only then all rules are known: nothing is kept but these.
 */
import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { AuditEntry } from '#contract/auditRecord.ts';
import type { Finding, Severity } from '#core/model/finding.ts';
import type { FoundEntry } from '#node/audit/takeEntries.ts';
import type { Encoder } from '#node/audit/export/encoderShape.ts';
import { isoTime, safeJson, visible } from '#node/audit/export/entryText.ts';

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const LEVEL: Readonly<Record<Severity, 'note' | 'warning' | 'error'>> = {
  low: 'note',
  medium: 'warning',
  high: 'error',
  critical: 'error',
};

/** Codes of rules, see `TAXONOMY` in node/rulepack/ruleShape; whatever no pattern fits is a category of ours. */
const TAXONOMIES: readonly { readonly code: RegExp; readonly about: Readonly<Record<string, string>> }[] = [
  { code: /^T\d/, about: { name: 'MITRE ATT&CK', organization: 'MITRE', informationUri: 'https://attack.mitre.org/' } },
  {
    code: /^LLM\d/,
    about: {
      name: 'OWASP Top 10 for LLM Applications',
      version: '2025',
      organization: 'OWASP',
      informationUri: 'https://genai.owasp.org/llm-top-10/',
    },
  },
  {
    code: /^ASI\d/,
    about: {
      name: 'OWASP Top 10 for Agentic Applications',
      version: '2026',
      organization: 'OWASP',
      informationUri: 'https://genai.owasp.org/',
    },
  },
  {
    code: /^MCP\d/,
    about: {
      name: 'OWASP MCP Top 10',
      version: '2025',
      organization: 'OWASP',
      informationUri: 'https://owasp.org/www-project-mcp-top-10/',
    },
  },
  { code: /^CWE-/, about: { name: 'CWE', organization: 'MITRE', informationUri: 'https://cwe.mitre.org/' } },
];
const CATEGORIES = { name: 'Callgate categories' };

/** Which taxonomies the rules so far name, and the place of each and of its members. */
class UsedTaxonomies {
  readonly #used = new Map<Readonly<Record<string, string>>, { readonly index: number; readonly taxa: Map<string, number> }>();

  /** A relationship to this code. */
  relation(about: Readonly<Record<string, string>>, code: string): object {
    const used = this.#used.get(about) ?? { index: this.#used.size, taxa: new Map<string, number>() };
    this.#used.set(about, used);
    const index = used.taxa.get(code) ?? used.taxa.size;
    used.taxa.set(code, index);
    return { target: { id: code, index, toolComponent: { name: about['name'], index: used.index } }, kinds: ['relevant'] };
  }

  components(): readonly object[] {
    return [...this.#used].map(([about, { taxa }]) => ({ ...about, isComprehensive: false, taxa: [...taxa.keys()].map((id) => ({ id })) }));
  }

  references(): readonly object[] {
    return [...this.#used].map(([about, { index }]) => ({ name: about['name'], index }));
  }
}

/** The same finding about the same arguments in the same place has the same one, whenever and wherever it is exported. */
export function findingFingerprint(entry: AuditEntry, finding: Finding): string {
  const parts = [finding.rule, finding.at, finding.matched, entry.client, entry.server ?? '', entry.tool, entry.workspace, entry.argsHash];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

/** In a message `[words](target)` is a link and `{0}` a placeholder; hostile text must be neither (3.11.5 and 3.11.6 of the standard). */
export function messageText(text: string): string {
  const shown = visible(text);
  const linkless = /\]\(/.test(shown) ? shown.replace(/[\\[\]]/g, '\\$&') : shown;
  return /\{\d+\}/.test(linkless) ? linkless.replace(/[{}]/g, '$&$&') : linkless;
}

function result({ entry, file, line }: FoundEntry, finding: Finding, ruleIndex: number): object {
  const tool = [entry.client, ...(entry.server === null ? [] : [entry.server]), entry.tool].join('/');
  return {
    ruleId: finding.rule,
    ruleIndex,
    kind: 'fail',
    level: LEVEL[finding.severity],
    message: { text: messageText(finding.matched === '' ? finding.title : `${finding.title}: ${finding.matched}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURIComponent(basename(file)), uriBaseId: 'JOURNAL' },
          // Read from its end the journal has no line numbers.
          ...(line === 0 ? {} : { region: { startLine: line } }),
        },
        logicalLocations: [{ name: entry.tool, fullyQualifiedName: tool + finding.at, kind: 'function' }],
      },
    ],
    partialFingerprints: { 'callgateFinding/v1': findingFingerprint(entry, finding) },
    properties: {
      seq: entry.seq,
      time: isoTime(entry.time),
      hash: entry.hash,
      kind: entry.kind,
      call: entry.call,
      verdict: entry.verdict,
      outcome: entry.outcome,
      by: entry.by,
      reason: entry.reason,
      client: entry.client,
      agent: entry.agent,
      session: entry.session,
      workspace: entry.workspace,
      channel: entry.channel,
      at: finding.at,
      span: finding.span,
      decoded: finding.decoded,
      severity: finding.severity,
      confidence: finding.confidence,
    },
  };
}

function rule(finding: Finding, codes: readonly string[], taxonomies: UsedTaxonomies): object {
  const about = (code: string): Readonly<Record<string, string>> | undefined => TAXONOMIES.find((one) => one.code.test(code))?.about;
  const known = codes.flatMap((code) => [about(code)].flatMap((one) => (one === undefined ? [] : [{ code, one }])));
  return {
    id: finding.rule,
    shortDescription: { text: finding.title },
    fullDescription: { text: finding.rationale },
    defaultConfiguration: { level: LEVEL[finding.severity] },
    relationships: [taxonomies.relation(CATEGORIES, finding.category), ...known.map(({ code, one }) => taxonomies.relation(one, code))],
    properties: { tags: [finding.category, ...known.map(({ code }) => code)], precision: finding.confidence, status: finding.status },
  };
}

/** @param codesOf a rule's codes in known taxonomies, such as `T1059.004` or `LLM01`: entries do not carry them */
export function sarifEncoder(version: string, codesOf: (rule: string) => readonly string[]): Encoder {
  const rules = new Map<string, object>();
  const ruleIndex = new Map<string, number>();
  const taxonomies = new UsedTaxonomies();
  let results = 0;
  const indexOf = (finding: Finding): number => {
    const known = ruleIndex.get(finding.rule);
    if (known !== undefined) return known;
    ruleIndex.set(finding.rule, ruleIndex.size);
    rules.set(finding.rule, rule(finding, codesOf(finding.rule), taxonomies));
    return ruleIndex.size - 1;
  };
  return {
    begin: () => `{"$schema":${JSON.stringify(SCHEMA)},"version":"2.1.0","runs":[{"columnKind":"utf16CodeUnits","results":[`,
    entry: (found) =>
      found.entry.findings
        .map((finding) => `${results++ === 0 ? '\n' : ',\n'}${safeJson(result(found, finding, indexOf(finding)))}`)
        .join(''),
    end: () => {
      const rest = {
        tool: {
          driver: {
            name: 'Callgate',
            version,
            supportedTaxonomies: taxonomies.references(),
            rules: [...rules.values()],
          },
        },
        taxonomies: taxonomies.components(),
        originalUriBaseIds: { JOURNAL: { description: { text: 'The journal’s folder in the data folder of Callgate' } } },
      };
      return `\n],${safeJson(rest).slice(1)}]}\n`;
    },
  };
}

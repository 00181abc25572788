/** The text a new rule starts from: it works as it stands, examples and all. */

/** What a rule file may be called; ids start with it. */
export const RULE_NAME = /^[a-z0-9]+(?:-[a-z0-9]+)*$/u;

export function nameProblem(name: string): string | null {
  if (!RULE_NAME.test(name) || name.length > 60) return 'Lower-case letters, digits and single dashes, such as house-rules.';
  return name === 'engine' ? 'This name is Callgate’s own. Choose another.' : null;
}

export function ruleTemplate(name: string): string {
  return `# Rules of your own. They add to what Callgate sees and take nothing away. Saving is enough: they count from the next call on.
# Run the examples: "Callgate: Test Rules", or \`callgate rules test\`. Every key is explained when you point at it, and in docs/rules.md.
version: 1
rules:
  - id: ${name}.no-production-cluster # the file's name, a dot, a name of its own
    title: Changes the production cluster # what was seen; people read this first
    category: destruction
    severity: high # critical blocks · high is held for you · medium warns · low is only noted
    confidence: high
    status: stable # experimental: only reports
    channels: [shell] # left out: every kind of call
    match:
      command: # one command, however it was wrapped, quoted or encoded
        program: [kubectl, helm]
        argument: '^(?:--context|--kube-context)=production$' # repeats are bounded: {0,200}, never * or +
    rationale: >-
      Nobody but a person changes what customers use.
    examples: # at least two of each; they are run
      match:
        - text: kubectl --context=production delete pod web-1
        - text: sudo helm --kube-context=production upgrade web ./chart
      no_match:
        - text: kubectl --context=staging delete pod web-1
          why: another cluster
        - text: echo --context=production
          why: another program
`;
}

import { describe, expect, it } from 'vitest';
import { looksSecret } from '#core/detect/entropy.ts';
import { expandSample } from '#node/rulepack/sampleGenerators.ts';
import { judge, ruleIds } from '../gateKit.ts';

describe('a secret', () => {
  it.each(['${alnum:36}', 'ghp_${alnum:36}', '${hex:40}', 'sk_live_${alnum:24}', 'my-app-${alnum:20}', 'example_${alnum:30}'])(
    '%s is one',
    (sample) => {
      expect(looksSecret(expandSample(sample), 3)).toBe(true);
    },
  );
  it.each([
    'xxxxxxxxxxxxxxxxxxxxxxxx',
    'ghp_xxxxxxxxxxxxxxxxxxxxxxxx',
    '<your-token-here>',
    '${SERVICE_TOKEN_PRODUCTION}',
    '{{ secrets.API_TOKEN }}',
    'process.env.SERVICE_API_KEY_PRODUCTION',
    'your-secret-token-goes-here',
    'refresh-token-expired-message-title',
    'AKIAIOSFODNN7EXAMPLE',
    'abcdefghijklmnopqrst',
    'sk_live_1234567890123456',
  ])('%s is a placeholder', (value) => {
    expect(looksSecret(value, 2)).toBe(false);
  });
  it('is found whatever words stand around it', () => {
    const content = expandSample("// example only, your sample placeholder\nconst fake_token = 'ghp_${alnum:36}'; // test key, redacted\n");
    expect(ruleIds(judge({ channel: 'write', args: { file_path: 'a.ts', content } }))).toContain('secrets.github-token');
  });
});

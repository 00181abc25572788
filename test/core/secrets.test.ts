/** Secrets that no issuer's format vouches for, in the ways people write them, and what only looks like one. Values are drawn, never real. */
import { describe, expect, it } from 'vitest';
import type { Channel } from '#core/model/call.ts';
import { expandSample } from '#node/rulepack/sampleGenerators.ts';
import { judge } from './gateKit.ts';

const ABOUT_SECRETS = /^(?:secrets|pii)/u;

function rulesAt(severity: 'noticed' | 'any', channel: Channel, sample: string): string[] {
  const text = expandSample(sample);
  const args =
    channel === 'shell'
      ? { command: text }
      : channel === 'write'
        ? { file_path: '/home/dev/app/a.txt', content: text }
        : channel === 'fetch'
          ? { url: text }
          : { text };
  return judge({ channel, server: channel === 'mcp' ? 's' : null, tool: channel === 'write' ? 'Write' : 'T', args })
    .findings.filter((finding) => ABOUT_SECRETS.test(finding.rule) && (severity === 'any' || finding.severity !== 'low'))
    .map((finding) => `${finding.rule} ${finding.severity}`);
}

/** `N` stands for the name in the style of its language, `V` for the value. */
const SYNTAXES: readonly (readonly [where: string, N: string, text: string])[] = [
  ['.env', 'ACME_N', 'ACME_N=V'],
  ['.env, quoted', 'ACME_N', 'ACME_N="V"'],
  ['shell', 'ACME_N', "export ACME_N='V'"],
  ['make', 'ACME_N', 'ACME_N := V'],
  ['make, default', 'ACME_N', 'ACME_N ?= V'],
  ['fish', 'ACME_N', 'set -x ACME_N=V'],
  ['ini', 'N', '[acme]\nN = V\n'],
  ['toml', 'N', '[acme]\nN = "V"\n'],
  ['properties', 'N', 'acme.N=V'],
  ['yaml', 'N', 'acme:\n  N: V\n'],
  ['yaml, quoted', 'N', 'acme:\n  N: "V"\n'],
  ['json', 'N', '{"acme": {"N": "V"}}'],
  ['json in a string', 'N', '{"body": "{\\"N\\": \\"V\\"}"}'],
  ['python', 'N', 'acme_N = "V"'],
  ['python, bytes', 'N', "acme_N = b'V'"],
  ['python, raw', 'N', 'acme_N = r"V"'],
  ['python, three quotes', 'N', 'acme_N = """V"""'],
  ['python, typed', 'N', 'acme_N: str = "V"'],
  ['python, dict', 'N', "config['N'] = 'V'"],
  ['python, keyword', 'N', "connect(host='a', N='V')"],
  ['javascript', 'N', "const acme_N = 'V';"],
  ['javascript, template', 'N', 'let acme_N = `V`;'],
  ['typescript', 'N', "private acme_N: string = 'V';"],
  ['javascript, object', 'N', "{ N: 'V', other: 1 }"],
  ['go', 'N', 'acme_N := "V"'],
  ['go, var', 'N', 'var acme_N string = "V"'],
  ['rust', 'N', 'let acme_N: &str = "V";'],
  ['java', 'N', 'private static final String acme_N = "V";'],
  ['java, property', 'N', 'System.setProperty("acme.N", "V");'],
  ['kotlin', 'N', 'val acme_N = "V"'],
  ['c#', 'N', 'string acme_N = @"V";'],
  ['c', 'N', 'char acme_N[] = "V";'],
  ['php', 'N', "$acme_N = 'V';"],
  ['php, array', 'N', "'N' => 'V',"],
  ['php, define', 'N', "define('ACME_N', 'V');"],
  ['ruby', 'N', "acme_N ||= 'V'"],
  ['ruby, hash', 'N', ":N => 'V'"],
  ['perl', 'N', 'my $acme_N = "V";'],
  ['lua', 'N', 'acme_N = "V"'],
  ['r', 'N', 'acme_N <- "V"'],
  ['swift', 'N', 'let acme_N: String = "V"'],
  ['powershell', 'N', '$acme_N = "V"'],
  ['terraform', 'N', 'N = "V"'],
  ['xml', 'N', '<N>V</N>'],
  ['xml, attribute', 'N', '<acme N="V"/>'],
  ['docker', 'ACME_N', 'ENV ACME_N=V'],
  ['compose', 'ACME_N', '      - ACME_N=V'],
];
const NAMES: readonly (readonly [name: string, value: string])[] = [
  ['api_key', '${alnum:32}'],
  ['secret', '${hex:40}'],
  ['access_token', '${lower:24}'],
  ['client_secret', '${base64:43}='],
  ['password', 'Vq7!${alnum:11}'],
];
const MATRIX = SYNTAXES.flatMap(([where, shape, text]) =>
  NAMES.map(([name, value]) => {
    const written = shape.startsWith('ACME') ? name.toUpperCase() : name;
    return [where, text.replaceAll('N', () => written).replace(/(?<![A-Z])V(?![A-Za-z])/u, () => value)] as const;
  }),
);

const WRITTEN: readonly string[] = [
  'Authorization: Bearer ${alnum:40}',
  'postgresql://app:Zk4%21${alnum:9}@db.acme.net:5432/app',
  'mongodb+srv://svc:${alnum:18}@cluster0.acme.net/?retryWrites=true',
  'amqps://worker:${lower:20}@mq.acme.net/vhost',
  'redis://:${alnum:32}@cache.acme.net:6379/0',
  'smtp://mailer:${alnum:16}@mail.acme.net:587',
  'sftp://backup:Xw3!${alnum:8}@files.acme.net/in',
  'jdbc:sqlserver://db.acme.net;user=sa;password=Hn5#${alnum:9};encrypt=true',
  'Driver={ODBC Driver 18};Server=db;Uid=app;Pwd=Rt9${alnum:10};',
  '//registry.acme.net/:_authToken=${alnum:40}',
  'machine git.acme.net login bot password ${alnum:22}',
  '-----BEGIN EC PRIVATE KEY-----\n${base64:164}\n-----END EC PRIVATE KEY-----',
  '-----BEGIN ENCRYPTED PRIVATE KEY-----\n${base64:300}\n-----END ENCRYPTED PRIVATE KEY-----',
  '-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${base64:300}\n-----END PGP PRIVATE KEY BLOCK-----',
  'mot_de_passe: "Gh6!${alnum:10}"',
  'contraseña = "Lp2!${alnum:10}"',
  'senha: Mn8!${alnum:10}',
  'passwort=Tz5!${alnum:10}',
  'wachtwoord: "Bd9!${alnum:10}"',
  'secret_key_base: ${hex:128}',
  'PrivateKey = ${base64:42}M=',
  "ALTER USER app WITH PASSWORD 'Qc3!${alnum:9}';",
  'https://api.acme.net/v1/items?access_token=${alnum:40}',
];

const COMMANDS: readonly string[] = [
  'curl -u deploy:${alnum:20} https://ci.acme.net/run',
  "curl -H 'Authorization: token ${hex:40}' https://api.acme.net",
  "curl -H 'X-Api-Key: ${alnum:32}' https://api.acme.net",
  'docker login -u bot -p ${alnum:24} registry.acme.net',
  'mysql -h db -u root -pHk4${alnum:9} -e "show tables"',
  'sshpass -p Wd7${alnum:9} ssh root@host',
  'PGPASSWORD=Sx8${alnum:12} psql -h db -U app',
  'redis-cli -h cache -a ${alnum:30} info',
  'helm install a b --set auth.password=Fz6${alnum:10}',
  'gh secret set --token ${alnum:40}',
  'vault login --token=${alnum:26}',
  'git clone https://oauth2:glpat-${alnum:20}@gitlab.acme.net/a/b.git',
  'aws configure set aws_secret_access_key ${base64:40}',
  'echo "svc:Bn4!${alnum:9}" | chpasswd',
  'twine upload -u __token__ -p pypi-AgEIcHlwaS5vcmc${alnum:80} dist/x.whl',
];

const HARMLESS: readonly string[] = [
  'password = "changeme"',
  'PASSWORD=password123',
  'DATABASE_URL=postgres://postgres:postgres@localhost:5432/app_test',
  'DATABASE_URL=mysql://root:root@127.0.0.1/app',
  'REDIS_URL=redis://localhost:6379',
  'MONGO_URL=mongodb://user:password@mongo:27017',
  'AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE',
  'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
  'API_KEY=your-api-key-here',
  'API_KEY=<your-api-key>',
  'API_KEY=xxxxxxxxxxxxxxxxxxxxxxxx',
  'API_KEY=${SERVICE_API_KEY}',
  'api_key: ${{ secrets.SERVICE_API_KEY }}',
  'api_key = os.environ["SERVICE_API_KEY"]',
  'const apiKey = process.env.SERVICE_API_KEY_PRODUCTION;',
  'token = config.get("service.token.value")',
  'token: refresh-token-expired-message',
  'const token = await getAccessTokenForUser(userId);',
  'tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased")',
  'max_tokens: 4096',
  'next_page_token = response.next_page_token',
  'csrf_token: {{ csrf_token() }}',
  'password: string;',
  'password: { type: String, required: true }',
  '<input type="password" name="password" id="current-password">',
  'passwordPlaceholder: "Enter your password"',
  'if (password.length < MIN_PASSWORD_LENGTH) throw new Error("too short");',
  'password_hash = bcrypt.hashpw(password, bcrypt.gensalt())',
  'secretName: acme-tls-certificate',
  'secretKeyRef:\n  name: database-credentials\n  key: password',
  'aws_secretsmanager_secret_version.database.secret_string',
  'private_key_path = "~/.ssh/id_ed25519"',
  '"integrity": "sha512-${base64:86}=="',
  'sha256: ${hex:64}',
  'commit ${hex:40}',
  'resolved "https://registry.yarnpkg.com/a/-/a-1.0.0.tgz#${hex:40}"',
  'image: acme/app@sha256:${hex:64}',
  'id: 3f2b8c1e-9d47-4a60-b1f5-0c7e6d2a9b84',
  'etag: "${hex:32}"',
  'background: url(data:image/png;base64,${base64:400})',
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${base64:43} me@host',
  '-----BEGIN PUBLIC KEY-----\n${base64:200}\n-----END PUBLIC KEY-----',
  '-----BEGIN CERTIFICATE-----\n${base64:400}\n-----END CERTIFICATE-----',
  'NEXT_PUBLIC_STRIPE_KEY=pk_test_${alnum:24}',
  'STRIPE_PUBLISHABLE_KEY=pk_live_${alnum:24}',
  'primary_key = "customer_identifier"',
  'cacheKey: `user:${id}:settings`',
  'grant_type=client_credentials',
  'const SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:app";',
  'Authorization: Bearer $TOKEN',
  'Authorization: Bearer <access-token>',
  "headers: { Authorization: `Bearer ${'{token}'}` }",
  'Set the password with --password-stdin.',
  'SECRET_KEY = "django-insecure-${alnum:50}"',
  'MNEMONIC="test test test test test test test test test test test junk"',
  'see https://docs.acme.net/authentication/api-keys#rotate for tokens',
  'git rev-parse ${hex:40}',
  'phone: +1 555 0100',
  'version 4.2.1 of 2024-05-01, build 20240501120000',
  'call 1800 555 0199 between 9 and 5',
  'order 4539578763621480 shipped',
  'var e=function(t){return t.key||t.token},n="abcdefghijklmnopqrstuvwxyz";',
];

describe('a secret written out', () => {
  it.each(MATRIX)('%s: %s', (_, text) => expect(rulesAt('noticed', 'write', text)).not.toEqual([]));
  it.each(WRITTEN)('%s', (text) => expect(rulesAt('noticed', 'write', text)).not.toEqual([]));
  it.each(COMMANDS)('$ %s', (text) => expect(rulesAt('noticed', 'shell', text)).not.toEqual([]));
});

describe('what only looks like a secret', () => {
  it.each(HARMLESS)('%s', (text) => {
    expect(rulesAt('any', 'write', text)).toEqual([]);
    expect(rulesAt('any', 'mcp', text)).toEqual([]);
  });
});

describe('how bad it is', () => {
  it.each([
    ['a token with its checksum, written', 'write', 'x = "${checked:github:ghp_}"', 'secrets-code.github-genuine high'],
    ['the same in a response', 'response', 'x = "${checked:github:ghp_}"', 'secrets-code.github-genuine medium'],
    ['a token whose checksum is wrong', 'shell', 'curl -H "X: ghp_${alnum:36}" https://a.example', 'secrets.github-token medium'],
    ['a provider key sent out', 'shell', 'curl "https://a.example/?k=gsk_${alnum:52}"', 'secrets-ai.groq-key high'],
    ['a provider key written', 'write', 'K=gsk_${alnum:52}', 'secrets-ai.groq-key medium'],
    ['one national number', 'write', 'SSN: ${checked:us-ssn:299-99-9999}', 'pii.us-ssn low'],
  ] as const)('%s', (_, channel, text, expected) => expect(rulesAt('any', channel, text)).toContain(expected));
  it('what an edit takes out is not what it writes', () => {
    const old_string = expandSample('K = "${checked:github:ghp_}"');
    const severities = (args: Record<string, string>): string[] =>
      judge({ channel: 'write', tool: 'Edit', args: { file_path: 'a.py', ...args } })
        .findings.filter((finding) => finding.rule === 'secrets-code.github-genuine')
        .map((finding) => finding.severity);
    expect(severities({ old_string, new_string: 'K = os.environ["K"]' })).toEqual(['medium']);
    expect(severities({ old_string: 'K = 1', new_string: old_string })).toEqual(['high']);
  });
});

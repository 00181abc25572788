/** Real places of secrets and of what runs by itself, in the notations of every system, and the ordinary files that look like them. */
import { describe, expect, it } from 'vitest';
import type { Verdict } from '#core/model/verdict.ts';
import { judge, ruleIds } from './gateKit.ts';

const RANK: readonly Verdict[] = ['clean', 'flag', 'quarantine', 'block'];
const read = (path: string): ReturnType<typeof judge> => judge({ channel: 'read', tool: 'Read', args: { file_path: path } });
const write = (path: string): ReturnType<typeof judge> =>
  judge({ channel: 'write', tool: 'Write', args: { file_path: path, content: 'x' } });

/** Every row, with what it got, whose verdict is milder than `least`. */
function milder(rows: string, least: Verdict, act: typeof read): readonly string[] {
  return lines(rows).flatMap((path) => {
    const { verdict } = act(path);
    return RANK.indexOf(verdict) < RANK.indexOf(least) ? [`${verdict} ${path}`] : [];
  });
}
function raised(rows: string, act: typeof read): readonly string[] {
  return lines(rows).flatMap((path) => {
    const decision = act(path);
    return decision.verdict === 'clean' ? [] : [`${decision.verdict} ${path} ${ruleIds(decision).join(' ')}`];
  });
}
const lines = (rows: string): readonly string[] =>
  rows
    .split('\n')
    .map((row) => row.trim())
    .filter((row) => row !== '');

const SECRETS = String.raw`
/home/dev/.ssh/id_rsa
/home/dev/.ssh/id_ed25519
/home/dev/.ssh/id_ecdsa_sk
/home/dev/.ssh/work.pem
/home/dev/.ssh
~/.ssh/id_rsa
$HOME/.ssh/id_rsa
${'${HOME}'}/.ssh/id_ed25519
~alice/.ssh/id_rsa
/root/.ssh/id_rsa
/Users/alice/.ssh/id_ed25519
/var/root/.ssh/id_rsa
%USERPROFILE%\.ssh\id_rsa
C:\Users\alice\.ssh\id_rsa
c:/users/alice/.ssh/id_rsa
\\?\C:\Users\alice\.ssh\id_rsa
\\.\C:\Users\alice\.ssh\id_rsa
\\localhost\c$\Users\alice\.ssh\id_rsa
\\wsl$\Ubuntu\home\alice\.ssh\id_rsa
\\wsl.localhost\Debian\root\.ssh\id_rsa
/mnt/c/Users/alice/.ssh/id_rsa
/c/Users/alice/.ssh/id_rsa
/cygdrive/c/Users/alice/.ssh/id_rsa
/host/etc/shadow
/hostfs/etc/shadow
/rootfs/root/.ssh/id_rsa
/proc/self/root/etc/shadow
/proc/1/root/etc/shadow
/proc/thread-self/root/root/.ssh/id_rsa
/proc/self/cwd/../.ssh/id_rsa
/private/etc/master.passwd
/System/Volumes/Data/Users/alice/.ssh/id_rsa
/Volumes/Macintosh HD/Users/alice/.ssh/id_rsa
file:///home/dev/.ssh/id_rsa
file://localhost/etc/shadow
file:/etc/shadow
FILE:///etc/shadow
file:///C:/Users/alice/.ssh/id_rsa
file:///c|/Users/alice/.ssh/id_rsa
../.ssh/id_rsa
./../.ssh/id_rsa
../../../../../../etc/shadow
src/../../.ssh/id_rsa
/home/dev/app/../.aws/credentials
..%2f.ssh%2fid_rsa
..%252f..%252f..%252fetc%252fshadow
%2e%2e/%2e%2e/%2e%2e/etc/shadow
..%c0%af..%c0%afetc/shadow
..%u2215..%u2215etc%u2215shadow
....//....//....//etc/shadow
..;/..;/..;/etc/shadow
..\..\..\etc\shadow
/etc/./shadow
//etc//shadow
/etc/shadow%00.png
/ETC/SHADOW
/etc/shadow
/etc/shadow-
/etc/gshadow
/etc/sudoers
/etc/sudoers.d/90-cloud
/etc/master.passwd
/etc/security/opasswd
/var/backups/shadow.bak
/var/lib/sss/db/cache_x.ldb
/etc/ssh/ssh_host_ed25519_key
/etc/krb5.keytab
/tmp/krb5cc_1000
/home/dev/.aws/credentials
/home/dev/.aws/config
/home/dev/.aws/sso/cache/a.json
/home/dev/.config/gcloud/application_default_credentials.json
/home/dev/.config/gcloud/credentials.db
/home/dev/.azure/accessTokens.json
/home/dev/.azure/msal_token_cache.json
/home/dev/.kube/config
/home/dev/.kube/prod-config.yaml
/home/dev/.oci/config
/home/dev/.config/doctl/config.yaml
/home/dev/.config/hcloud/cli.toml
/home/dev/.config/scw/config.yaml
/home/dev/.config/linode-cli
/home/dev/.config/openstack/clouds.yaml
/home/dev/.aliyun/config.json
/home/dev/.bluemix/config.json
/home/dev/.tccli/default.credential
/home/dev/.fly/config.yml
/home/dev/.netlify/config.json
/home/dev/.wrangler/config/default.toml
/home/dev/.config/.wrangler/config/default.toml
/home/dev/.cloudflared/cert.pem
/home/dev/.railway/config.json
/home/dev/.local/share/com.vercel.cli/auth.json
/home/dev/Library/Application Support/com.vercel.cli/auth.json
/home/dev/.config/configstore/firebase-tools.json
/home/dev/.terraform.d/credentials.tfrc.json
/home/dev/.terraformrc
/home/dev/.pulumi/credentials.json
/home/dev/.vault-token
/home/dev/.doppler/.doppler.yaml
/home/dev/.databrickscfg
/home/dev/.snowflake/connections.toml
/home/dev/.config/rclone/rclone.conf
/home/dev/.config/sops/age/keys.txt
/home/dev/.s3cfg
/home/dev/.ngrok2/ngrok.yml
/home/dev/.sentryclirc
/home/dev/.chef/alice.pem
/var/run/secrets/kubernetes.io/serviceaccount/token
/run/secrets/db_password
/etc/kubernetes/admin.conf
/etc/kubernetes/pki/ca.key
/etc/rancher/k3s/k3s.yaml
/var/lib/rancher/k3s/server/node-token
/var/lib/kubelet/pki/kubelet-client-current.pem
/home/dev/.minikube/profiles/minikube/client.key
/home/dev/.docker/config.json
/root/.docker/config.json
/kaniko/.docker/config.json
/run/user/1000/containers/auth.json
/home/dev/.pypirc
/home/dev/.cargo/credentials.toml
/home/dev/.gem/credentials
/home/dev/.composer/auth.json
/home/dev/.hex/hex.config
/home/dev/.sbt/.credentials
/home/dev/.config/dart/pub-credentials.json
/home/dev/.m2/settings-security.xml
/home/dev/.netrc
/home/dev/_netrc
/home/dev/.git-credentials
/home/dev/.config/git/credentials
/home/dev/.config/gh/hosts.yml
/home/dev/.config/glab-cli/config.yml
/home/dev/.config/hub
/home/dev/.config/tea/config.yml
/home/dev/.pgpass
/home/dev/.my.cnf
/home/dev/.mylogin.cnf
/home/dev/.mongorc.js
/home/dev/.rediscli_auth
/home/dev/.local/share/DBeaverData/workspace6/General/.dbeaver/credentials-config.json
C:\Users\alice\AppData\Roaming\postgresql\pgpass.conf
/etc/mysql/debian.cnf
/home/dev/vault.kdbx
/home/dev/.password-store/mail.gpg
/home/dev/.local/share/keyrings/login.keyring
/home/dev/.local/share/kwalletd/kdewallet.kwl
/home/dev/.config/Bitwarden/data.json
/home/dev/.config/1Password/settings/settings.json
/home/dev/.config/op/config
/home/dev/.lastpass/username
/Users/alice/Library/Keychains/login.keychain-db
/Library/Keychains/System.keychain
C:\Users\alice\AppData\Roaming\Microsoft\Credentials\ABC
C:\Users\alice\AppData\Local\Microsoft\Vault\x
C:\Users\alice\AppData\Roaming\Microsoft\Protect\S-1-5\x
%APPDATA%\Microsoft\Credentials\ABC
%LOCALAPPDATA%\Google\Chrome\User Data\Default\Login Data
C:\Windows\System32\config\SAM
C:\Windows\System32\config\RegBack\SYSTEM
C:\WINDOWS\repair\SAM
%SystemRoot%\System32\config\SECURITY
C:\Windows\NTDS\ntds.dit
\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy3\Windows\System32\config\SAM
C:\Windows\Panther\unattend.xml
C:\Windows\System32\inetsrv\config\applicationHost.config
/home/dev/.gnupg/secring.gpg
/home/dev/.gnupg/private-keys-v1.d/ABC.key
/home/dev/.mozilla/firefox/a.default/key4.db
/home/dev/.mozilla/firefox/a.default/logins.json
/home/dev/.mozilla/firefox/a.default/cookies.sqlite
/home/dev/.config/google-chrome/Default/Cookies
/home/dev/.config/google-chrome/Default/Login Data
/home/dev/.config/chromium/Default/Login Data
/home/dev/.config/BraveSoftware/Brave-Browser/Default/Cookies
/home/dev/.config/microsoft-edge/Default/Cookies
/home/dev/.config/vivaldi/Default/Cookies
/home/dev/snap/firefox/common/.mozilla/firefox/a/key4.db
/home/dev/.var/app/org.mozilla.firefox/.mozilla/firefox/a/key4.db
/Users/alice/Library/Application Support/Google/Chrome/Default/Cookies
/Users/alice/Library/Application Support/Arc/User Data/Default/Cookies
/Users/alice/Library/Safari/History.db
/Users/alice/Library/Cookies/Cookies.binarycookies
C:\Users\alice\AppData\Roaming\Mozilla\Firefox\Profiles\a\logins.json
C:\Users\alice\AppData\Local\Microsoft\Edge\User Data\Default\Login Data
/home/dev/.bitcoin/wallet.dat
/home/dev/.ethereum/keystore/UTC--2021-01-01T00-00-00.0Z--ab
/home/dev/.electrum/wallets/default_wallet
/home/dev/.config/solana/id.json
/home/dev/.config/Exodus/exodus.wallet/seed.seco
/Users/alice/Library/Application Support/Exodus/exodus.wallet/seed.seco
/home/dev/.foundry/keystores/deployer
/home/dev/.thunderbird/a.default/prefs.js
/home/dev/.config/Slack/Cookies
/home/dev/.config/discord/Local Storage/leveldb/000005.ldb
/home/dev/.config/Signal/config.json
/home/dev/.local/share/TelegramDesktop/tdata/key_datas
/Users/alice/Library/Messages/chat.db
/Users/alice/Library/Mail/V10/x.mbox
/var/mail/dev
/var/spool/mail/root
C:\Users\alice\Documents\archive.pst
/etc/wireguard/wg0.conf
/etc/openvpn/client.conf
/etc/ipsec.secrets
/etc/NetworkManager/system-connections/home.nmconnection
/etc/wpa_supplicant/wpa_supplicant.conf
/home/dev/office.ovpn
/home/dev/.claude/.credentials.json
/home/dev/.codex/auth.json
/home/dev/.gemini/oauth_creds.json
/home/dev/.config/github-copilot/apps.json
/home/dev/.local/share/amp/secrets.json
/home/dev/.local/share/opencode/auth.json
/home/dev/.config/goose/secrets.yaml
/home/dev/.continue/config.json
/home/dev/.aider.conf.yml
/home/dev/.cache/huggingface/token
/home/dev/.kaggle/kaggle.json
/home/dev/.config/Code/User/globalStorage/state.vscdb
/home/dev/.config/Cursor/User/globalStorage/state.vscdb
/home/dev/.config/JetBrains/IdeaIC2024.1/c.kdbx
/proc/self/environ
/proc/1/environ
/proc/1234/mem
/proc/kcore
/dev/mem
/dev/kmem
/dev/sda
/dev/nvme0n1p2
/dev/mapper/vg-root
\\.\PhysicalDrive0
/var/run/docker.sock
/run/docker.sock
/run/containerd/containerd.sock
/run/podman/podman.sock
/home/dev/Desktop/passwords.txt
/home/dev/app/.htpasswd
`;

const LOOKED_AT_FIRST = String.raw`
/etc/passwd
/etc/group
/etc/issue
/etc/fstab
/etc/crontab
/proc/version
/proc/mounts
/proc/net/tcp
/proc/self/cmdline
/proc/self/status
/proc/self/maps
/proc/self/fd/3
/dev/fd/3
/var/log/auth.log
/var/log/apache2/access.log
/var/log/nginx/error.log
/usr/local/apache2/logs/access_log
/etc/nginx/nginx.conf
/etc/apache2/apache2.conf
/etc/php/8.2/apache2/php.ini
/etc/mysql/my.cnf
/etc/samba/smb.conf
C:\boot.ini
C:\Windows\win.ini
C:\Windows\System32\drivers\etc\hosts
C:\inetpub\wwwroot\web.config
C:\xampp\apache\conf\httpd.conf
/home/dev/.bash_history
/home/dev/.zsh_history
/home/dev/.psql_history
/home/dev/.python_history
C:\Users\alice\AppData\Roaming\Microsoft\Windows\PowerShell\PSReadLine\ConsoleHost_history.txt
/home/dev/.npmrc
/home/dev/.m2/settings.xml
/home/dev/.gradle/gradle.properties
/home/dev/app/.env
/home/dev/app/.env.local
/home/dev/app/.env.production
/home/dev/app/.envrc
/home/dev/app/.dev.vars
/home/dev/app/config/master.key
/home/dev/app/credentials.json
/home/dev/app/secrets.yaml
/home/dev/app/terraform.tfstate
/home/dev/app/certs/server.key
/etc/ssl/private/site.key
/etc/letsencrypt/live/example.org/privkey.pem
/home/dev/app/release.keystore
/home/dev/app/AuthKey_ABCDEFGHIJ.p8
/root/.bashrc
/home/alice/.config/x.toml
/home/dev/.claude/projects/-home-dev-x/1.jsonl
/home/dev/.codex/history.jsonl
/home/dev/.cursor/mcp.json
/home/dev/.claude.json
../../../../conf/server.xml
/../../x
../logs/access.log
../../.htaccess
%2e%2e%2fx%2f%2e%2e%2f%2e%2e%2fy
\\files.example\share\a.txt
C:\app\index.php::$DATA
`;

const RUNS_BY_ITSELF = String.raw`
/home/dev/.bashrc
/home/dev/.zshrc
/home/dev/.profile
/home/dev/.config/fish/config.fish
/home/dev/.vimrc
C:\Users\alice\Documents\PowerShell\Microsoft.PowerShell_profile.ps1
/home/dev/.pythonrc.py
/home/dev/.gdbinit
/home/dev/.curlrc
/home/dev/.ssh/authorized_keys
/home/dev/.ssh/config
/home/dev/.ssh/rc
/root/.ssh/authorized_keys
/etc/ssh/sshd_config
/etc/profile
/etc/profile.d/x.sh
/etc/bash.bashrc
/etc/environment
/etc/ld.so.preload
/etc/pam.d/sudo
/etc/sudoers
/etc/sudoers.d/x
/etc/passwd
/etc/shadow
/etc/group
/etc/crontab
/etc/cron.d/x
/var/spool/cron/crontabs/root
/etc/systemd/system/x.service
/home/dev/.config/systemd/user/x.service
/home/dev/.config/autostart/x.desktop
/Users/alice/Library/LaunchAgents/x.plist
/Library/LaunchDaemons/x.plist
C:\Users\alice\AppData\Roaming\Microsoft\Windows\Start Menu\Programs\Startup\x.bat
C:\Windows\System32\Tasks\x
/etc/udev/rules.d/99-x.rules
/etc/rc.local
/etc/init.d/x
/usr/bin/ls
/boot/grub/grub.cfg
/lib/systemd/system/x.service
/dev/sda
/dev/mem
/proc/sys/kernel/core_pattern
/proc/sysrq-trigger
/sys/kernel/uevent_helper
/sys/fs/cgroup/memory/release_agent
/var/run/docker.sock
/etc/kubernetes/manifests/x.yaml
/etc/docker/daemon.json
/usr/local/share/ca-certificates/x.crt
/etc/apt/trusted.gpg.d/x.gpg
/home/dev/.aws/credentials
/home/dev/.kube/config
/home/dev/.docker/config.json
/home/dev/.netrc
/home/dev/.mozilla/firefox/a.default/user.js
/var/log/auth.log
/home/dev/.gitconfig
/home/dev/app/.git/config
/home/dev/app/.git/hooks/pre-commit
/usr/lib/python3/dist-packages/sitecustomize.py
/home/dev/.claude/settings.json
/home/dev/.codex/config.toml
/home/dev/.cursor/hooks.json
/home/dev/.gemini/settings.json
/home/dev/.codeium/windsurf/hooks.json
/home/dev/app/.claude/settings.local.json
/home/dev/app/.mcp.json
/home/dev/app/.cursor/mcp.json
/home/dev/app/.vscode/mcp.json
/home/dev/.callgate/settings.json
/home/dev/.callgate/grants/a.json
/home/dev/.vscode/extensions/callgate.callgate-1.0.0/package.json
/home/dev/.bash_history
C:\Windows\System32\drivers\etc\hosts
`;

const WATCHED = String.raw`
/etc/hosts
/etc/resolv.conf
/home/dev/app/.github/workflows/ci.yml
/home/dev/app/.gitlab-ci.yml
/home/dev/app/Jenkinsfile
/home/dev/app/.circleci/config.yml
/home/dev/app/azure-pipelines.yml
/home/dev/app/.vscode/tasks.json
/home/dev/app/.vscode/launch.json
/home/dev/app/.idea/runConfigurations/a.xml
/home/dev/app/.zed/tasks.json
/home/dev/app/CLAUDE.md
/home/dev/app/AGENTS.md
/home/dev/app/GEMINI.md
/home/dev/app/.cursorrules
/home/dev/app/.cursor/rules/a.mdc
/home/dev/app/.windsurfrules
/home/dev/app/.github/copilot-instructions.md
/home/dev/app/.clinerules
/home/dev/app/.clinerules/a.md
/home/dev/app/.aider.conf.yml
/home/dev/app/.continue/rules/a.md
/home/dev/app/.kiro/steering/a.md
/home/dev/app/.roo/rules/a.md
/home/dev/app/.junie/guidelines.md
/home/dev/app/.claude/commands/a.md
/home/dev/app/.claude/agents/a.md
/home/dev/.claude/CLAUDE.md
/home/dev/app/.envrc
/home/dev/app/.devcontainer/devcontainer.json
/home/dev/.npmrc
/home/dev/.cargo/config.toml
/home/dev/.local/bin/sudo
../../../../opt/x
`;

/** Everything ordinary that a path can be made of: folders times names, and single ones. */
const FOLDERS = [
  '',
  './',
  'src/',
  'lib/core/',
  '../shared/',
  '../../packages/web/',
  '/home/dev/app/',
  '/home/dev/app/src/ssh/',
  '/home/dev/other/test/',
];
const NAMES = lines(`
keys.ts
passwd.md
id_rsa.pub
.env.example
.env.sample
.env.template
package.json
package-lock.json
Cargo.lock
README.md
credentials.ts
secrets.test.ts
shadow.css
sudoers.go
wallet.tsx
cookies.ts
login-data.json
history.md
tokens.scss
kubeconfig.go
config.yaml
hosts
group.rb
log.txt
docker-compose.yml
Dockerfile
Makefile
.gitignore
.editorconfig
.prettierrc
tsconfig.json
`);
const ORDINARY = String.raw`
/etc/hosts
/etc/os-release
/etc/hostname
/etc/timezone
/etc/localtime
/etc/resolv.conf
/etc/debian_version
/etc/lsb-release
/etc/ssl/certs/ca-certificates.crt
/etc/ssl/openssl.cnf
/etc/protocols
/etc/services
/etc/mime.types
/proc/cpuinfo
/proc/meminfo
/proc/loadavg
/proc/uptime
/dev/null
/usr/include/stdio.h
/usr/include/openssl/ssl.h
/usr/share/dict/words
/usr/share/doc/git/README.md
/usr/lib/python3/dist-packages/yaml/__init__.py
/usr/local/lib/node_modules/npm/package.json
/usr/bin/env
/opt/homebrew/bin/node
/tmp/build/out.log
/tmp/test-1234/package.json
/var/tmp/x.txt
/home/dev/.gitconfig
/home/dev/.ssh/known_hosts
/home/dev/.ssh/config
/home/dev/.ssh/id_rsa.pub
/home/dev/.bashrc
/home/dev/.zshrc
/home/dev/.profile
/home/dev/.vimrc
/home/dev/.cargo/registry/src/index.crates.io-1/serde-1.0.0/src/lib.rs
/home/dev/.cargo/config.toml
/home/dev/.rustup/toolchains/stable/lib/rustlib/src/rust/library/std/src/env.rs
/home/dev/.nvm/versions/node/v22.0.0/lib/node_modules/npm/README.md
/home/dev/.cache/pip/http/a
/home/dev/.local/share/applications/x.desktop
/home/dev/.local/bin/tool
/home/dev/.config/nvim/init.lua
/home/dev/.claude/settings.json
/home/dev/.claude/CLAUDE.md
/home/dev/.codex/config.toml
/home/dev/go/pkg/mod/github.com/a/b@v1.0.0/c.go
/home/dev/.m2/repository/org/a/b/1.0/b-1.0.pom
/home/dev/.aws/cli/alias
/home/dev/app/node_modules/.pnpm/a@1/node_modules/a/etc/passwd.js
/home/dev/app/node_modules/ssh2/lib/keyParser.js
/home/dev/app/test/fixtures/id_rsa.pub
/home/dev/app/test/fixtures/cert.pem
/home/dev/app/.github/workflows/ci.yml
/home/dev/app/.vscode/settings.json
/home/dev/app/.npmrc
/home/dev/app/.husky/pre-commit
/home/dev/app/app/[slug]/page.tsx
/home/dev/app/app/(group)/@modal/[...rest]/page.tsx
/home/dev/app/docs/My%20File.md
/home/dev/app/src/%5Bid%5D.ts
/home/dev/app/docs/a b c.md
/home/dev/app/src/win\path.ts
/home/dev/app/logs/access.log
/home/dev/app/docker/config.json
/home/dev/app/nginx/nginx.conf
/home/dev/app/etc/nginx/nginx.conf
/home/dev/app/k8s/secrets/readme.md
/home/dev/app/deploy/systemd/app.service
/home/dev/app/web.config
/home/dev/app/php.ini
C:\app\src\index.ts
C:/app/src/index.ts
\\wsl$\Ubuntu\home\dev\app\src\index.ts
src\win\index.ts
..\shared\index.ts
/mnt/c/app/src/index.ts
/workspaces/app/src/index.ts
/workspace/src/main.py
/app/src/main.py
/github/workspace/package.json
/Applications/Xcode.app/Contents/Info.plist
/Library/Developer/CommandLineTools/usr/include/stdio.h
`;

describe('reading', () => {
  it('secrets is held', () => expect(milder(SECRETS, 'quarantine', read)).toEqual([]));
  it('what intruders read first is at least pointed out', () => expect(milder(LOOKED_AT_FIRST, 'flag', read)).toEqual([]));
  it('ordinary files passes', () => expect(raised(ORDINARY, read)).toEqual([]));
  it('files of a project passes, from wherever they are named', () => {
    const rows = FOLDERS.flatMap((folder) => NAMES.map((name) => folder + name));
    expect(rows.length).toBeGreaterThan(250);
    expect(raised(rows.join('\n'), read)).toEqual([]);
  });
});

describe('writing', () => {
  it('what runs by itself is held', () => expect(milder(RUNS_BY_ITSELF, 'quarantine', write)).toEqual([]));
  it('what a build service, an editor or an agent obeys is at least pointed out', () => expect(milder(WATCHED, 'flag', write)).toEqual([]));
  it('files of a project passes', () => {
    const rows = FOLDERS.flatMap((folder) => NAMES.map((name) => folder + name));
    expect(raised(rows.join('\n'), write)).toEqual([]);
  });
});

describe('links', () => {
  it('are followed, hard ones too, as far as the caller can tell', () => {
    const decision = judge(
      { channel: 'read', tool: 'Read', args: { file_path: 'notes.txt' } },
      { realpath: () => '/home/dev/.ssh/id_rsa' },
    );
    expect(ruleIds(decision)).toContain('paths.ssh-private-key');
  });
});

/** Scripts as projects have them, of our own making; `command` runs them where `bash <file>` does not. */
export const ORDINARY_SCRIPTS: readonly { readonly file: string; readonly text: string; readonly command?: string }[] = [
  {
    file: 'build.sh',
    text: '#!/usr/bin/env bash\nset -euo pipefail\ncd "$(dirname "$0")"\nrm -rf build dist\nmkdir -p build\ntsc -p .\ncp -r assets dist/\necho "built $(git rev-parse --short HEAD)"\n',
  },
  {
    file: 'test.sh',
    text: '#!/bin/sh\nset -e\nrm -rf coverage .nyc_output\nexport NODE_ENV=test\nfor d in packages/*; do\n  (cd "$d" && npm test -- "$@")\ndone\n',
  },
  {
    file: 'clean.sh',
    text: '#!/bin/bash\nfind . -name "*.pyc" -delete\nfind . -type d -name __pycache__ -prune -exec rm -rf {} +\nrm -rf .pytest_cache .mypy_cache build dist *.egg-info\n',
  },
  {
    file: 'release.sh',
    text: '#!/usr/bin/env bash\nset -euo pipefail\nversion="${1:?usage: release.sh VERSION}"\ngit diff --quiet || { echo "dirty"; exit 1; }\nnpm version "$version" --no-git-tag-version\ngit commit -am "Release $version"\ngit tag "v$version"\ngit push origin main "v$version"\n',
  },
  {
    file: 'deploy.sh',
    text: '#!/bin/bash\nset -e\nHOST="${DEPLOY_HOST:-app.example.org}"\nnpm run build\nrsync -az --delete dist/ "deploy@$HOST:/srv/app/"\nssh "deploy@$HOST" "cd /srv/app && docker compose up -d"\n',
  },
  {
    file: 'setup.sh',
    text: '#!/bin/bash\nset -e\ncommand -v node >/dev/null || { echo "node is missing"; exit 1; }\n[ -f .env ] || cp .env.example .env\nnpm ci\nnpx prisma generate\n',
  },
  {
    file: 'docker-build.sh',
    text: '#!/bin/sh\nset -eu\nTAG=$(git describe --tags --always)\ndocker build --build-arg VERSION="$TAG" -t "example/app:$TAG" .\ndocker tag "example/app:$TAG" example/app:latest\n',
  },
  {
    file: 'entrypoint.sh',
    text: '#!/bin/sh\nset -e\nif [ "$1" = "serve" ]; then\n  shift\n  exec node dist/server.js "$@"\nfi\nexec "$@"\n',
  },
  {
    file: 'wait-for.sh',
    text: '#!/bin/bash\nhost="$1"; port="$2"\nfor i in $(seq 1 30); do\n  nc -z "$host" "$port" && exit 0\n  sleep 1\ndone\necho "timeout" >&2\nexit 1\n',
  },
  {
    file: 'backup.sh',
    text: '#!/bin/bash\nset -euo pipefail\nstamp=$(date +%F)\nmkdir -p backups\npg_dump -U app app | gzip > "backups/app-$stamp.sql.gz"\nfind backups -name "*.gz" -mtime +14 -delete\n',
  },
  { file: 'migrate.sh', text: '#!/bin/sh\nset -e\nfor f in migrations/*.sql; do\n  echo "applying $f"\n  psql -d app -f "$f"\ndone\n' },
  { file: 'ci.sh', text: '#!/usr/bin/env bash\nset -euxo pipefail\nnpm ci\nnpm run lint\nnpm test -- --coverage\nnpm run build\n' },
  {
    file: 'lint.sh',
    text: '#!/bin/sh\nfiles=$(git diff --cached --name-only --diff-filter=ACM | grep "\\.ts$" || true)\n[ -z "$files" ] && exit 0\nnpx eslint $files\n',
  },
  { file: 'hooks/pre-commit.sh', text: '#!/bin/sh\n. "$(dirname "$0")/_/husky.sh"\nnpx lint-staged\n' },
  {
    file: 'gen.sh',
    text: '#!/bin/bash\nset -e\nOUT=src/generated\nrm -rf "$OUT"\nmkdir -p "$OUT"\nprotoc --ts_out="$OUT" proto/*.proto\n',
  },
  { file: 'bench.sh', text: '#!/bin/bash\nfor n in 1 10 100; do\n  hyperfine --warmup 3 "node bench.js $n"\ndone | tee bench.txt\n' },
  { file: 'dev.sh', text: '#!/bin/bash\ntrap "kill 0" EXIT\nnpm run api &\nnpm run web &\nwait\n' },
  {
    file: 'tmp.sh',
    text: '#!/bin/bash\nset -e\ntmp=$(mktemp -d)\ntrap \'rm -rf "$tmp"\' EXIT\ncurl -fsSL -o "$tmp/a.tgz" https://example.org/a.tgz\ntar xzf "$tmp/a.tgz" -C "$tmp"\ncp "$tmp/a/bin/tool" ./bin/\n',
  },
  {
    file: 'args.sh',
    text: '#!/bin/bash\nwhile [ $# -gt 0 ]; do\n  case "$1" in\n    -v|--verbose) verbose=1;;\n    -o) out="$2"; shift;;\n    --) shift; break;;\n    -*) echo "unknown $1" >&2; exit 2;;\n    *) files+=("$1");;\n  esac\n  shift\ndone\nfor f in "${files[@]}"; do wc -l "$f"; done > "${out:-/dev/stdout}"\n',
  },
  {
    file: 'colors.sh',
    text: '#!/bin/bash\nRED="\\033[0;31m"; NC="\\033[0m"\nlog() { echo -e "${RED}$*${NC}"; }\ndie() { log "$@"; exit 1; }\n[ -d src ] || die "no src"\nlog "ok"\n',
  },
  { file: 'version.sh', text: '#!/bin/sh\nv=$(jq -r .version package.json)\nsed -i "s/^version = .*/version = \\"$v\\"/" Cargo.toml\n' },
  {
    file: 'k8s.sh',
    text: '#!/bin/bash\nset -e\nkubectl config current-context\nhelm upgrade --install app ./chart -f values.yaml --set image.tag="$TAG"\nkubectl rollout status deploy/app\n',
  },
  {
    file: 'venv.sh',
    text: '#!/bin/bash\npython3 -m venv .venv\n. .venv/bin/activate\npip install -U pip\npip install -r requirements.txt\n',
  },
  { file: 'format.sh', text: '#!/bin/sh\nset -e\nblack src tests\nisort src tests\nnpx prettier --write "**/*.md"\n' },
  { file: 'docs.sh', text: '#!/bin/bash\nset -e\nrm -rf site\nmkdocs build --strict\ncd site && python3 -m http.server 8000\n' },
  {
    file: 'seed.sh',
    text: '#!/bin/bash\ncurl -s -X POST http://localhost:3000/api/users -H "Content-Type: application/json" -d @fixtures/user.json\n',
  },
  { file: 'cover.sh', text: '#!/bin/sh\ngo test -coverprofile=coverage.out ./...\ngo tool cover -html=coverage.out -o coverage.html\n' },
  {
    file: 'rust.sh',
    text: '#!/bin/bash\nset -e\ncargo fmt --check\ncargo clippy -- -D warnings\ncargo test --all\nrm -rf target/criterion\n',
  },
  {
    file: 'ios.sh',
    text: '#!/bin/bash\nset -eo pipefail\nxcodebuild -scheme App -destination "platform=iOS Simulator,name=iPhone 15" test | xcpretty\n',
  },
  { file: 'android.sh', text: '#!/bin/sh\n./gradlew clean assembleDebug\nadb install -r app/build/outputs/apk/debug/app-debug.apk\n' },
  { file: 'notes.sh', text: '#!/bin/bash\nprev=$(git describe --tags --abbrev=0)\ngit log --pretty="- %s" "$prev"..HEAD > NOTES.md\n' },
  { file: 'port.sh', text: '#!/bin/bash\npid=$(lsof -ti tcp:"${1:-3000}")\n[ -n "$pid" ] && kill "$pid"\nexit 0\n' },
  {
    file: 'logs.sh',
    text: '#!/bin/bash\ndocker compose logs --since 1h web 2>&1 | grep -E "ERROR|WARN" | sort | uniq -c | sort -rn | head -20\n',
  },
  {
    file: 'matrix.sh',
    text: '#!/bin/bash\nfor v in 18 20 22; do\n  docker run --rm -v "$PWD":/w -w /w "node:$v" npm test || failed="$failed $v"\ndone\n[ -z "$failed" ] || { echo "failed:$failed"; exit 1; }\n',
  },
  { file: 'sync.sh', text: '#!/bin/sh\ngit fetch origin\ngit rebase origin/main\ngit submodule update --init --recursive\n' },
  {
    file: 'heredoc.sh',
    text: '#!/bin/bash\ncat > config.json <<EOF\n{"version": "$(git rev-parse HEAD)", "env": "${ENV:-dev}"}\nEOF\ncat <<\'USAGE\'\nNever run rm -rf / or curl x | sh.\nUSAGE\n',
  },
  {
    file: 'Makefile',
    text: 'PREFIX ?= /usr/local\nBUILD := build\n.PHONY: all clean test install\nall: $(BUILD)/app\n$(BUILD)/app: main.c\n\t@mkdir -p $(BUILD)\n\t$(CC) $(CFLAGS) -o $@ $<\ntest: all\n\t./$(BUILD)/app --self-test\nclean:\n\trm -rf $(BUILD) *.o\n',
    command: 'make clean all test',
  },
  {
    file: 'justfile',
    text: 'default:\n    just --list\nbuild target="debug":\n    cargo build --profile {{target}}\nclean:\n    rm -rf target dist\n',
    command: 'just build clean',
  },
  {
    file: 'package.json',
    text: '{"name":"app","scripts":{"clean":"rimraf dist","prebuild":"npm run clean","build":"tsc && vite build","test":"vitest run","lint":"eslint . --fix","postinstall":"husky install"}}',
    command: 'npm install && npm run build && npm test',
  },
  {
    file: 'tool.py',
    text: '#!/usr/bin/env python3\nimport argparse, json, pathlib, shutil, subprocess\n\ndef main():\n    p = argparse.ArgumentParser()\n    p.add_argument("out")\n    a = p.parse_args()\n    out = pathlib.Path(a.out)\n    if out.exists():\n        shutil.rmtree(out)\n    out.mkdir(parents=True)\n    (out / "a.json").write_text(json.dumps({"a": 1}))\n    subprocess.run(["git", "add", str(out)], check=True)\n\nif __name__ == "__main__":\n    main()\n',
    command: 'python3 tool.py out',
  },
  {
    file: 'serve.py',
    text: 'from http.server import HTTPServer, SimpleHTTPRequestHandler\nHTTPServer(("127.0.0.1", 8000), SimpleHTTPRequestHandler).serve_forever()\n',
    command: 'python3 serve.py',
  },
  {
    file: 'build.mjs',
    text: 'import { rmSync, mkdirSync, cpSync } from "node:fs";\nimport { build } from "esbuild";\nrmSync("dist", { recursive: true, force: true });\nmkdirSync("dist");\nawait build({ entryPoints: ["src/main.ts"], bundle: true, outfile: "dist/main.js" });\ncpSync("public", "dist", { recursive: true });\n',
    command: 'node build.mjs',
  },
  {
    file: 'fetch.js',
    text: 'const fs = require("fs");\nfetch("https://api.example.org/v1/items").then((r) => r.json()).then((items) => fs.writeFileSync("items.json", JSON.stringify(items)));\n',
    command: 'node fetch.js',
  },
  {
    file: 'report.rb',
    text: 'require "json"\ndata = JSON.parse(File.read("a.json"))\nFile.write("report.md", data.map { |k, v| "- #{k}: #{v}" }.join("\\n"))\n',
    command: 'ruby report.rb',
  },
];

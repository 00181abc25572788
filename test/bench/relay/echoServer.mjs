// An MCP server that does nothing but answer: what is measured is the way there and back.
let rest = '';
process.stdin.setEncoding('utf8').on('data', (chunk) => {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop() ?? '';
  let out = '';
  for (const line of lines) {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) continue;
    out += `${JSON.stringify({ jsonrpc: '2.0', id, result: resultOf(method, params) })}\n`;
  }
  if (out !== '') process.stdout.write(out);
});
process.stdin.on('end', () => process.exit());

function resultOf(method, params) {
  if (method === 'initialize')
    return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'echo', version: '1' } };
  if (method === 'tools/list') return { tools: [{ name: 'echo', description: 'Gives back what it got', inputSchema: { type: 'object' } }] };
  return { content: [{ type: 'text', text: params.arguments.text }] };
}

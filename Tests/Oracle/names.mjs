// Answers each line of standard input (a statement as a JSON string) with a line: the names in PostgreSQL's parse tree
// as a JSON array of [role, schema or null, name], or null where PostgreSQL's parser refuses the text.
// The line "null" asks for the counts of the trees' node types so far.
// The first argument is the folder in which npm installed this folder's package.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { namesIn } from './tree.mjs';

const require = createRequire(join(process.argv[2], 'package.json'));
const { loadModule, parseSync } = require('libpg-query');
await loadModule();

const counts = {};
let answers = [];

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  answers.push(answer(JSON.parse(line)));
  if (answers.length === 200 || line === 'null') {
    await flush();
  }
}

await flush();

function answer(sql) {
  if (sql === null) {
    return JSON.stringify(counts);
  }

  let tree;
  try {
    tree = parseSync(sql);
  } catch (problem) {
    if (problem.constructor.name === 'SqlError' || problem.message === 'Query cannot be empty') {
      return sql.trim() === '' ? '[]' : 'null';
    }

    throw problem;
  }

  return JSON.stringify(namesIn(tree, sql, counts));
}

async function flush() {
  const text = answers.join('\n') + '\n';
  if (answers.length > 0 && !process.stdout.write(text)) {
    await new Promise(done => process.stdout.once('drain', done));
  }

  answers = [];
}

/**
 * Adds up what the suites of .ci/run reported: vitest's JSON reports, cargo's result lines, and exit codes. Prints
 * `N passed, N failed, N skipped` as its last line and fails unless everything passed.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder] = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
const files = readdirSync(folder).sort();

for (const file of files) {
  const path = join(folder, file);
  if (file.endsWith('.json')) addVitest(JSON.parse(readFileSync(path, 'utf8')));
  if (file === 'native.log') addCargo(readFileSync(path, 'utf8'));
}
for (const file of files.filter((name) => name.endsWith('.status'))) {
  const status = readFileSync(join(folder, file), 'utf8').trim();
  if (status === '0') continue;
  console.log(`${file.replace('.status', '')} ended with exit code ${status}`);
  // A suite that failed without a failed test (a broken set-up, a lint finding) counts as one failure.
  if (total.failed === 0) total.failed += 1;
}
if (total.skipped > 0) console.log('a skipped test proves nothing: it counts as a failure here');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || total.skipped > 0 || total.passed === 0 ? 1 : 0;

function addVitest(report) {
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
  total.skipped += report.numPendingTests + report.numTodoTests;
}

function addCargo(text) {
  for (const [, passed, failed, ignored] of text.matchAll(
    /^test result: .* (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    total.passed += Number(passed);
    total.failed += Number(failed);
    total.skipped += Number(ignored);
  }
}

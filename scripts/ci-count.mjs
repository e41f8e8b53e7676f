// The last line of continuous integration: tests and check steps together, and a failure wherever a report is missing.
// Plain JavaScript: it must still count when nothing could be installed.
import { readFileSync } from 'node:fs'

const [testsFile, testsExit, checkFile, checkExit] = process.argv.slice(2)
const problems = []

const tests = read(testsFile)
let passed = 0
let failed = 0
if (tests !== undefined) {
  passed += tests.numPassedTests
  failed += tests.numFailedTests
  for (const file of tests.testResults) {
    // A file that could not even be loaded has no tests to count.
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')) {
      failed++
      problems.push(file.name + ': ' + String(file.message).split('\n')[0])
    }
    for (const test of file.assertionResults) {
      if (test.status !== 'passed' && test.status !== 'failed') console.log('skipped: ' + test.fullName)
    }
  }
  if (passed + failed === 0) problems.push('no test was run')
}
// Whatever the report says: an error outside all tests, or an end before the report was written, is a failure.
if (testsExit !== '0' && failed === 0) problems.push('npm test ended with exit code ' + testsExit)

const check = read(checkFile)
const failedBefore = failed
if (check !== undefined) {
  passed += check.passed
  failed += check.failed
}
if (checkExit !== '0' && failed === failedBefore) problems.push('npm run check ended with exit code ' + checkExit)

for (const problem of problems) console.log('problem: ' + problem)
if (problems.length > 0 && failed === 0) failed = problems.length
console.log(passed + ' passed, ' + failed + ' failed')
process.exitCode = failed > 0 ? 1 : 0

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

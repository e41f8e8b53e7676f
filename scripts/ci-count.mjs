// The last line of continuous integration: tests and check steps together, and a failure wherever a report is missing.
// Plain JavaScript: it must still count when nothing could be installed.
import { readFileSync } from 'node:fs'

const [testsFile, testsExit, checkFile, checkExit] = process.argv.slice(2)
let passed = 0
let failed = 0

const tests = read(testsFile)
let failedTests = 0
if (tests !== undefined) {
  passed += tests.numPassedTests
  failedTests += tests.numFailedTests
  for (const file of tests.testResults) {
    // A file that could not even be loaded has no tests to count.
    if (file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed')) {
      failedTests++
      console.log('problem: ' + file.name + ': ' + String(file.message).split('\n')[0])
    }
    for (const test of file.assertionResults) {
      if (test.status !== 'passed' && test.status !== 'failed') console.log('skipped: ' + test.fullName)
    }
  }
}
// Whatever a report says: an error outside all tests, no test, or an end before the report was written is a failure.
if (failedTests === 0 && (testsExit !== '0' || passed === 0)) failedTests = problem('npm test', testsExit)
failed += failedTests

const check = read(checkFile)
let failedSteps = 0
if (check !== undefined) {
  passed += check.passed
  failedSteps += check.failed
}
if (failedSteps === 0 && (checkExit !== '0' || check === undefined)) failedSteps = problem('npm run check', checkExit)
failed += failedSteps

console.log(passed + ' passed, ' + failed + ' failed')
process.exitCode = failed > 0 ? 1 : 0

/** Counts as one failure. */
function problem(command, exit) {
  console.log('problem: ' + command + ' ended with exit code ' + exit + ' and without a report of what failed')
  return 1
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

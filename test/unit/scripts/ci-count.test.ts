// Real: scripts/ci-count.mjs as a process. Whatever goes wrong, continuous integration must not end with `0 failed`.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../../../scripts/ci-count.mjs', import.meta.url))
const result = (status: string, title = 'a test') => ({ status, fullName: title })
const file = (status: string, ...assertionResults: object[]) => ({
  name: 'a.test.ts',
  status,
  message: 'cannot import',
  assertionResults,
})

function count(
  tests: object | undefined,
  testsExit: number,
  check: object | undefined,
  checkExit: number,
): { status: number | null; lines: string[] } {
  const directory = mkdtempSync(join(tmpdir(), 'touchstone-count-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const files = [tests, check].map((report, i) => {
    const path = join(directory, `${i}.json`)
    if (report !== undefined) writeFileSync(path, JSON.stringify(report))
    return path
  })
  const args = [SCRIPT, files[0] ?? '', String(testsExit), files[1] ?? '', String(checkExit)]
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, lines: stdout.trimEnd().split('\n') }
}

const GOOD = { numPassedTests: 2, numFailedTests: 0, testResults: [file('passed', result('passed'), result('passed'))] }

test('tests and check steps are counted together, and skipped tests named', () => {
  expect(count(GOOD, 0, { passed: 9, failed: 0 }, 0)).toEqual({ status: 0, lines: ['11 passed, 0 failed'] })
  const skipping = {
    ...GOOD,
    testResults: [file('passed', result('passed'), result('passed'), result('skipped', 'needs Kafka'))],
  }
  expect(count(skipping, 0, { passed: 9, failed: 0 }, 0).lines).toEqual(['skipped: needs Kafka', '11 passed, 0 failed'])
})

test.each([
  [
    'a failed test',
    { ...GOOD, numFailedTests: 1, testResults: [file('failed', result('failed'))] },
    1,
    { passed: 9, failed: 0 },
    0,
    '11 passed, 1 failed',
  ],
  ['a failed step', GOOD, 0, { passed: 8, failed: 1 }, 1, '10 passed, 1 failed'],
  [
    'a file that cannot be loaded',
    { ...GOOD, testResults: [...GOOD.testResults, file('failed')] },
    1,
    { passed: 9, failed: 0 },
    0,
    '11 passed, 1 failed',
  ],
  ['no test report', undefined, 1, { passed: 9, failed: 0 }, 0, '9 passed, 1 failed'],
  ['no test report in spite of exit code 0', undefined, 0, { passed: 9, failed: 0 }, 0, '9 passed, 1 failed'],
  ['no check report', GOOD, 0, undefined, 1, '2 passed, 1 failed'],
  ['no check report in spite of exit code 0', GOOD, 0, undefined, 0, '2 passed, 1 failed'],
  ['an error outside all tests', GOOD, 1, { passed: 9, failed: 0 }, 0, '11 passed, 1 failed'],
  [
    'no test at all',
    { numPassedTests: 0, numFailedTests: 0, testResults: [] },
    0,
    { passed: 9, failed: 0 },
    0,
    '9 passed, 1 failed',
  ],
] as const)('%s is a failure', (_name, tests, testsExit, check, checkExit, last) => {
  const { status, lines } = count(tests, testsExit, check, checkExit)
  expect(lines.at(-1)).toBe(last)
  expect(status).toBe(1)
})

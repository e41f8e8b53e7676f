// The file of the banks' snapshot where several write it. Real: files.
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { snapshotFile } from '../../../src/apps/snapshot-file.ts'

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-snapshot-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

test('writers of one number, as processes in two containers may have, do not write into each other’s file', async () => {
  const folder = freshFolder()
  const path = join(folder, 'banks.snapshot')
  const contents = [1, 2, 3, 4].map((fill) => new Uint8Array(3_000_000 + fill).fill(fill))
  await Promise.all(contents.map((bytes) => snapshotFile(path).write(bytes)))
  const read = await snapshotFile(path).read()
  expect(contents.some((bytes) => read !== undefined && Buffer.compare(read, bytes) === 0)).toBe(true)
  expect(readdirSync(folder)).toEqual(['banks.snapshot'])
})

test('what a killed writer left is removed by a later one, and not what another is just writing', async () => {
  const folder = freshFolder()
  for (const name of ['banks.snapshot.4711', 'banks.snapshot.4712', 'banks.other'])
    writeFileSync(join(folder, name), 'some')
  const longAgo = new Date(Date.now() - 7_200_000)
  for (const name of ['banks.snapshot.4711', 'banks.other']) utimesSync(join(folder, name), longAgo, longAgo)
  await snapshotFile(join(folder, 'banks.snapshot')).write(Uint8Array.of(1))
  expect(readdirSync(folder).toSorted()).toEqual(['banks.other', 'banks.snapshot', 'banks.snapshot.4712'])
})

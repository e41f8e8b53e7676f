// The snapshot of the banks as a file in the data directory: replaced whole or not at all, whoever writes beside us.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { SnapshotFile } from '../pipeline/banks/snapshot.ts'

/** Writing a hundred megabytes takes seconds: what is older was left by a process that was killed. */
const LEFT_MS = 3_600_000

/** Several processes may share a data directory: each writes beside it under a name of its own, and the last one stays. */
export function snapshotFile(path: string): SnapshotFile {
  return {
    async read() {
      try {
        return await readFile(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    },
    async write(bytes) {
      await mkdir(dirname(path), { recursive: true })
      await removeLeft(path)
      // Not by the number of the process: those of two containers may be the same.
      const beside = `${path}.${randomUUID()}`
      try {
        const file = await open(beside, 'wx', 0o600)
        try {
          await file.writeFile(bytes)
          // Else a crash could leave the new name with nothing in it.
          await file.sync()
        } finally {
          await file.close()
        }
        await rename(beside, path)
      } catch (error) {
        await rm(beside, { force: true })
        throw error
      }
    },
  }
}

async function removeLeft(path: string): Promise<void> {
  const names = await readdir(dirname(path))
  for (const name of names.filter((one) => one.startsWith(`${basename(path)}.`))) {
    const left = join(dirname(path), name)
    // Another may remove it, or give it its name, at the same moment.
    const found = await stat(left).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > LEFT_MS) await rm(left, { force: true })
  }
}

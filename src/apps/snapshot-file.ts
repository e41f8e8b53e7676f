// The snapshot of the banks as a file in the data directory: replaced whole or not at all, whoever writes beside us.
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { SnapshotFile } from '../pipeline/banks/snapshot.ts'

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
      const beside = `${path}.${process.pid}`
      try {
        const file = await open(beside, 'w', 0o600)
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

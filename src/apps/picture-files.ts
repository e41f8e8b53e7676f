// Picture files that a command is given: a folder stands for the pictures in it, and what cannot be read says what is wrong.
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { messageOf, TouchstoneError } from '../errors.ts'

/** What pictures that can be read are called; of a folder everything else is passed over, as what systems leave there. */
const ENDINGS = ['.jpg', '.jpeg', '.png', '.webp', '.avif', '.gif']

/**
 * In their order; in place of a folder the pictures in it, by name, not those of folders in it. A folder without any, and
 * what is not there, stay as they are: `readPictureFile` says what is wrong with each.
 */
export async function pictureFiles(paths: readonly string[]): Promise<string[]> {
  const files: string[] = []
  for (const path of paths) {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => [])
    const found = entries
      .filter(({ name }) => !name.startsWith('.') && ENDINGS.includes(extname(name).toLowerCase()))
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => join(path, name))
      .toSorted()
    files.push(...(found.length === 0 ? [path] : found))
  }
  return files
}

/** @throws TouchstoneError `input-invalid` or `too-large` with what is wrong with it. */
export async function readPictureFile(file: string, maxBytes: number): Promise<Buffer> {
  try {
    const found = await stat(file)
    if (found.isDirectory())
      throw new TouchstoneError('input-invalid', `it is a folder without pictures: no file in it ends in ${listed}`)
    // A pipe with nobody at its other end would hold us for ever.
    if (!found.isFile()) throw new TouchstoneError('input-invalid', 'it is neither a file nor a folder')
    if (found.size > maxBytes)
      throw new TouchstoneError('too-large', `the file has ${found.size} bytes; at most ${maxBytes} are read`)
    return await readFile(file)
  } catch (error) {
    if (error instanceof TouchstoneError) throw error
    const why = WHY[(error as NodeJS.ErrnoException).code ?? ''] ?? messageOf(error)
    throw new TouchstoneError('input-invalid', why, { cause: error })
  }
}

const listed = new Intl.ListFormat('en', { type: 'disjunction' }).format(ENDINGS)

const WHY: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'it may not be read by this user',
}

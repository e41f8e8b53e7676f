// Banks from folders of pictures, for commands that record nothing: `counterfeit=known-fakes/`.
import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BANK_KINDS, bankSchema, type BankKind } from '../domain/bank.ts'
import { messageOf, TouchstoneError } from '../errors.ts'
import { createBankEntries } from '../pipeline/banks/entries.ts'
import { readReferencePicture } from '../pipeline/banks/reference-picture.ts'
import type { KeptPicture } from '../domain/kept-picture.ts'
import type { PictureReader } from '../pipeline/pictures/ports.ts'
import type { BankIndex } from '../signals/image-hash/ports.ts'

export interface BankFolder {
  readonly kind: BankKind
  readonly folder: string
}

/** `counterfeit=folder`; undefined where it is not of that form. */
export function parseBankFolder(text: string): BankFolder | undefined {
  const [name, ...rest] = text.split('=')
  const kind = BANK_KINDS.find((one) => one === name)
  const folder = rest.join('=')
  return kind === undefined || folder === '' ? undefined : { kind, folder }
}

/**
 * Every file of the folders, not of folders in them; `skipped` is told of each that is no use, such as what systems and people
 * leave beside pictures. @throws TouchstoneError `input-invalid` for a folder that cannot be read, or in which nothing is of use.
 */
export async function readFolderBanks(
  folders: readonly BankFolder[],
  reader: PictureReader,
  skipped: (file: string, why: TouchstoneError) => void,
): Promise<BankIndex> {
  const entries = createBankEntries()
  for (const [i, { kind, folder }] of folders.entries()) {
    const bankId = `${kind}-${i + 1}`
    entries.putBank(bankSchema.parse({ bankId, name: folder, kind }))
    const files = await filesOf(folder)
    const before = entries.size
    for (const file of files) {
      const picture = await usable(reader, file)
      if (picture instanceof TouchstoneError) {
        skipped(file, picture)
        continue
      }
      const source = { kind: 'import', file } as const
      for (const { hash, forms } of [picture, ...(picture.frames ?? [])])
        entries.put({ imageId: randomUUID(), bankId, hash, forms, state: 'active', source })
    }
    if (files.length > 0 && entries.size === before)
      throw new TouchstoneError('input-invalid', `${folder}: none of its ${files.length} files is a picture of use`)
  }
  return { size: entries.size, change: 0n, match: (picture) => entries.match(picture) }
}

/** The picture, or why it is none. Rejects where it could not be looked at: that says nothing about it. */
async function usable(reader: PictureReader, file: string): Promise<KeptPicture | TouchstoneError> {
  try {
    return await readReferencePicture(reader, await readFile(file))
  } catch (error) {
    if (error instanceof TouchstoneError && error.code !== 'not-ready') return error
    throw error
  }
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    const found = await readdir(folder, { withFileTypes: true })
    return found
      .filter((entry) => entry.isFile())
      .map((entry) => join(folder, entry.name))
      .toSorted()
  } catch (error) {
    throw new TouchstoneError('input-invalid', `${folder}: ${messageOf(error)}`, { cause: error })
  }
}

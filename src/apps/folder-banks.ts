// Banks from folders of pictures, for commands that record nothing: `counterfeit=known-fakes/`.
import { randomUUID } from 'node:crypto'
import { BANK_KINDS, bankSchema, type BankKind } from '../domain/bank.ts'
import { TouchstoneError } from '../errors.ts'
import { accusingIn } from '../pipeline/banks/accusing.ts'
import { createBankEntries } from '../pipeline/banks/entries.ts'
import { readReferencePicture } from '../pipeline/banks/reference-picture.ts'
import type { KeptPicture } from '../domain/kept-picture.ts'
import type { PictureReader } from '../pipeline/pictures/ports.ts'
import type { BankIndex } from '../signals/image-hash/ports.ts'
import { pictureFiles, readPictureFile } from './picture-files.ts'

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
 * The pictures of the folders, as `hash` and `banks import` find them; `skipped` is told of each that is no use.
 * @throws TouchstoneError `input-invalid` for a folder without pictures, or of which none is of use: a bank that holds nothing
 * would clear every listing.
 */
export async function readFolderBanks(
  folders: readonly BankFolder[],
  reader: PictureReader,
  maxBytes: number,
  skipped: (file: string, why: TouchstoneError) => void,
): Promise<BankIndex> {
  const entries = createBankEntries()
  for (const [i, { kind, folder }] of folders.entries()) {
    const bankId = `${kind}-${i + 1}`
    entries.putBank(bankSchema.parse({ bankId, name: folder, kind }))
    const files = await pictureFiles([folder])
    const before = entries.size
    for (const file of files) {
      const picture = await usable(reader, file, maxBytes)
      if (picture instanceof TouchstoneError) {
        // What is no folder with pictures stands for itself.
        if (file === folder) throw new TouchstoneError('input-invalid', `${folder}: ${picture.message}`)
        skipped(file, picture)
        continue
      }
      const source = { kind: 'import', file } as const
      for (const { hash, forms } of [picture, ...(picture.frames ?? [])])
        entries.put({ imageId: randomUUID(), bankId, hash, forms, state: 'active', source })
    }
    if (entries.size === before)
      throw new TouchstoneError('input-invalid', `${folder}: none of its ${files.length} pictures is of use`)
  }
  return { size: entries.size, against: accusingIn(entries), change: 0n, match: (picture) => entries.match(picture) }
}

/** The picture, or why it is none. Rejects where it could not be looked at: that says nothing about it. */
async function usable(reader: PictureReader, file: string, maxBytes: number): Promise<KeptPicture | TouchstoneError> {
  try {
    return await readReferencePicture(reader, await readPictureFile(file, maxBytes))
  } catch (error) {
    if (error instanceof TouchstoneError && error.code !== 'not-ready') return error
    throw error
  }
}

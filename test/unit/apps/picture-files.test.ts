// Which files a command reads where it is given names, folders and what is neither. Real: files and folders.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pictureFiles, readPictureFile } from '../../../src/apps/picture-files.ts'

let root: string
const at = (...parts: string[]) => join(root, ...parts)

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'picture-files-'))
  for (const folder of ['shots', 'shots/more', 'notes']) mkdirSync(at(folder))
  for (const file of ['b.JPG', 'a.png', 'c.avif', 'README.md', '.hidden.png', 'more/d.png'])
    writeFileSync(at('shots', file), 'x')
  writeFileSync(at('notes', 'todo.txt'), 'x')
  writeFileSync(at('lone.dat'), 'four')
})
afterAll(() => rmSync(root, { recursive: true }))

describe('the picture files of a command', () => {
  it('says of each that cannot be read what is wrong with it', async () => {
    const why = (file: string, most = 9) =>
      readPictureFile(at(file), most).then(
        () => 'read',
        ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
      )
    expect(await why('nowhere.png')).toBe('input-invalid: there is no such file or folder')
    expect(await why('notes')).toBe(
      'input-invalid: it is a folder without pictures: no file in it ends in .jpg, .jpeg, .png, .webp, .avif, or .gif',
    )
    expect(await why('lone.dat', 3)).toBe('too-large: the file has 4 bytes; at most 3 are read')
    expect(await why('lone.dat', 4)).toBe('read')
    await expect(readPictureFile('/dev/null', 9)).rejects.toMatchObject({
      message: 'it is neither a file nor a folder',
    })
  })

  it('are in place of a folder the pictures in it, by name; what is named itself is read whatever it is called', async () => {
    const given = [at('lone.dat'), at('shots'), at('nowhere.png'), at('notes')]
    expect(await pictureFiles(given)).toEqual([
      at('lone.dat'),
      at('shots', 'a.png'),
      at('shots', 'b.JPG'),
      at('shots', 'c.avif'),
      at('nowhere.png'),
      at('notes'),
    ])
  })
})

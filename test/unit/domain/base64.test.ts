// What base64 stands for: checked against the form that is published, on text of characters that decoders take for others.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { bytesOfBase64 } from '../../../src/domain/text-field.ts'

/** Most of the alphabet; of the rest some whose lower eight bits are a letter, and what decoders skip or stop at. */
const characters = fc.constantFrom(...Array.from('AAABBCz09+/==-_ \n\u00a0\u00c1\u0141\u3042\ud83d.'))

test('text that is not of the published form has no bytes, and all other text has them', () => {
  const text = fc.array(characters, { maxLength: 12 }).map((all) => all.join(''))
  fc.assert(
    fc.property(text, (one) => {
      expect(bytesOfBase64(one) !== undefined).toBe(z.core.regexes.base64.test(one))
    }),
    { numRuns: 5_000, seed: 1 },
  )
  for (const one of ['\u0141AAA', 'AA\u3042=', '====', 'A===', 'AAA=AAA=', 'AA\n='])
    expect(bytesOfBase64(one)).toBeUndefined()
})

test('bytes of any length come back', () => {
  for (let length = 0; length < 10; length++) {
    const bytes = Buffer.from(Uint8Array.from({ length }, (_, i) => 251 + i * 37))
    expect(bytesOfBase64(bytes.toString('base64'))).toEqual(bytes)
  }
})

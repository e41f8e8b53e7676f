// Options that several commands share.
import { InvalidArgumentError, Option } from 'commander'
import { MASKABLE, type Maskable } from '../rows.ts'

export interface MaskOption {
  mask: Maskable[]
}

export function maskOption(): Option {
  return new Option('--mask <fields>', `take these fields out of every listing first: ${MASKABLE.join(', ')}`)
    .default([], 'none')
    .argParser((text: string): Maskable[] =>
      text.split(',').map((name) => {
        const field = MASKABLE.find((m) => m === name.trim())
        if (field === undefined) throw new InvalidArgumentError(`${name} is not one of ${MASKABLE.join(', ')}.`)
        return field
      }),
    )
}

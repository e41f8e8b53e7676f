// What one setting is, and the shapes that several of them have.
import { isIP } from 'node:net'
import { z } from 'zod'

export interface Setting<S extends z.ZodType = z.ZodType> {
  readonly schema: S
  /** Shown in the README, as text; `unset` where the absence has a meaning of its own. */
  readonly default: string
  readonly doc: string
}

export const setting = <S extends z.ZodType>(schema: S, fallback: string, doc: string): Setting<S> => ({
  schema,
  default: fallback,
  doc,
})

export const whole = (min: number, max: number) => {
  const error = `must be a whole number from ${min} to ${max}`
  return z.coerce.number({ error }).int({ error }).min(min, { error }).max(max, { error })
}
export const positive = (max: number) => whole(1, max)
export const port = whole(0, 65_535)

/** An address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}

/** A list with commas between; what is wrong is told by its number, never by its value. */
export const listOf = (good: (one: string) => boolean, expected: string) =>
  z
    .string()
    .transform((list) => list.split(',').map((one) => one.trim()))
    .superRefine((list, context) => {
      const wrong = list.flatMap((one, i) => (good(one) ? [] : [i + 1]))
      if (wrong.length > 0) context.addIssue(`no. ${wrong.join(', ')} of ${list.length} must be ${expected}`)
    })

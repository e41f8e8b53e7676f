// A signal that says what a test needs of it: it enforces, and has no sources and no examples.
import type { Signal } from '../../src/signals/signal.ts'

export const signal = (name: string, evaluate: Signal['evaluate']): Signal => ({
  name,
  version: '1',
  label: name,
  description: name,
  sources: [],
  mode: 'enforce',
  examples: [],
  evaluate,
})

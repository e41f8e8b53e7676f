// What hash-kernel.ts uses of WebAssembly: its types come with those of browsers, which the project leaves out.

declare namespace WebAssembly {
  class Module {
    static exports(module: Module): readonly object[]
    constructor(bytes: Uint8Array)
  }
  class Instance {
    readonly exports: object
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>)
  }
  class Memory {
    readonly buffer: ArrayBuffer
    constructor(size: { readonly initial: number; readonly maximum: number })
    grow(pages: number): number
  }
  interface Global {
    readonly value: number
  }
}

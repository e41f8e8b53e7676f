// The door of this folder for brands: those that ship, and those that a file brings.
export { shippedBrands } from './shipped-brands.ts'
export { parseBrandFile } from './parse-brand-file.ts'

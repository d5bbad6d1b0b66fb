/** What users of the package import: the files of src of these names. */
export const entryPoints = ['index', 'redis', 'testing'];

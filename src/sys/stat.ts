/** Kinds of files in a mode. Source: inode(7). */
export const S_IFMT = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;

/** The same in a directory entry. Source: readdir(3). */
export const DT = { directory: 4, file: 8, symlink: 10 } as const;

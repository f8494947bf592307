/** A condition in SQL: the copy in this row of `dbgov.replica` lies in a tier where nothing can be read for hours. */
export const isArchived = (replica: string): string =>
  `EXISTS (SELECT FROM dbgov.protection t WHERE t.object = ${replica}.object AND t.store = ${replica}.store AND t.tier = 'archive')`;

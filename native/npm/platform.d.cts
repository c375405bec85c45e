// The packed file is generated with the packages: it holds their names in a form that bundlers and tracers can follow.
declare const table: import('./platform-table.ts').PlatformTable;
export = table;

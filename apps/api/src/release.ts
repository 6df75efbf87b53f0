import manifest from '../package.json' with { type: 'json' };

/** Which build this is; in answers of /health, in the API's document, and beside jobs. */
export const release: string = manifest.version;

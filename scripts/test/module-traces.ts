/**
 * Words that only the module `support` brings into what is built: its job, its sources' places, its routes, its page. Where
 * it is on they are found, so that their absence says something where it is off.
 */
export const supportTraces = 'modules/support/|support\\.send-request|/api/support|\\(modules\\)/support';

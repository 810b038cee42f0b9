/** The routes that have a request budget. */
export type Route = 'quote' | 'queue' | 'retrieve' | 'complete';

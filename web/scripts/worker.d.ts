// What the service worker has around it: the checker knows workers, but not which kind this one is.
declare const FILES: string[]; // written before the worker's text by web/offline/offline.py
declare const clients: Clients;
declare function skipWaiting(): Promise<void>;
declare function addEventListener<K extends keyof ServiceWorkerGlobalScopeEventMap>(
  type: K, listener: (event: ServiceWorkerGlobalScopeEventMap[K]) => void): void;
/** Why a page did not come: no line, or a server that said so. */
interface NoLine extends Error {
  answer?: Response;
  after?: number; // ms that the server wants to be left alone
}
interface WorkerGlobalScope {
  readonly registration: ServiceWorkerRegistration;
}
interface WorkerNavigator {
  readonly connection?: { saveData: boolean };
}

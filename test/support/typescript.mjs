/** `node --import` of this runs TypeScript, in worker threads too: tsx's own entry leaves those out. */
import { register } from 'tsx/esm/api';

register();

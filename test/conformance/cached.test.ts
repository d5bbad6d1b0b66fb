import { playOn } from './play.ts';

playOn('cached');

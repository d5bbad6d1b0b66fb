import { playOn } from './play.ts';

playOn('shared');

import { playOn } from './play.ts';

playOn('direct');

import { playOn } from './play.ts';

playOn('shared, three mounts');

/** Loaded before the command under test: a machine on which nobody has installed the package 'webgpu'. */
import { register } from 'node:module';

const hook = `export function resolve(name, context, next) {
  if (name !== 'webgpu') return next(name, context);
  throw Object.assign(new Error('Cannot find package'), { code: 'ERR_MODULE_NOT_FOUND' });
}`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);

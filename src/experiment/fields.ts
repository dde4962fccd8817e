// Number fields that several parts of the schema share.
import * as z from 'zod';

export const positiveInt = z.int().min(1);
export const nonNegativeInt = z.int().min(0);
export const rate = z.number().min(0).lt(1);

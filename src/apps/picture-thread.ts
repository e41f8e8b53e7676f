// The program of a thread that reads pictures: what decodes meets what hashes here, as everything meets in apps.
import { servePictures } from '../adapters/pictures/thread.ts'
import { pdqOf } from '../imaging/pdq.ts'

servePictures(pdqOf)

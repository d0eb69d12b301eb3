"""Is it really fooling? An elite that looks like its class is no fooling image.

`likeness` holds an image against real images of a class; `measure` asks that of every elite, beside a panel of other
networks and what people answered; `result` is what comes out.

The score of an image for a class is in [0, 1]:

- where people named the image, the share of their answers that name its class;
- else the least of three: how near it is to real images of the class in pixels, how near in the features of another
  network, and the mean confidence of other networks in the class. There is no score where neither pixels nor features
  tell the class from others: that other networks name the class proves nothing by itself, since they share weaknesses.

A nearness is 1 up to the distance that nine of ten real images of the class keep from others of it, 0 from the distance
on that half of the real images of other classes keep, and straight in between.
"""

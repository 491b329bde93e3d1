"""Work on parts of a large region: run this in two terminals, one after the other."""

import winshm

PICTURE, PICTURES = 1 << 20, 16  # bytes of a picture, and how many there are

# With no_map=True nothing of the region is mapped by opening it. That saves address space,
# and keeps a program from touching what it does not mean to.
with winshm.open_or_create("example-parts", PICTURES * PICTURE, no_map=True) as region:
    # What is copied needs no mapping either. The first byte of a picture says whether
    # somebody has painted it.
    with region.lock():
        painted = [region.read(number * PICTURE, 1) != b"\0" for number in range(PICTURES)]
        mine = painted.index(False)

        # A part may begin and end anywhere. It is mapped until the end of the block.
        with region.map(mine * PICTURE, PICTURE) as picture:
            # The shared bytes themselves, as a memoryview. numpy.asarray(picture) would
            # give the same bytes as an array.
            picture.data[:] = bytes([mine + 1]) * PICTURE

    print(f"There were {sum(painted)} pictures, and this process has painted one.")
    input("Enter leaves: ")

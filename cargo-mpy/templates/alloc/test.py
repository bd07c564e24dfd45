import {module}

print("words:", {module}.words("the cat saw the other cat"))

# A serial port behind a network, for tests: `server.py PORT rfc2217|socket` prints where it listens. RFC 2217 is
# pyserial's.
import socket
import sys
import threading

import serial
import serial.rfc2217


# A pseudo-terminal has no lines of a modem.
class Terminal(serial.Serial):
    cts = dsr = ri = cd = False


port = Terminal(sys.argv[1], timeout=0.05)
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    client, _ = listener.accept()
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    class Answer:
        def write(self, data):
            client.sendall(data)

    manager = serial.rfc2217.PortManager(port, Answer()) if sys.argv[2] == "rfc2217" else None
    alive = True

    def send():
        while alive:
            data = port.read(port.in_waiting or 1)
            if data:
                data = b"".join(manager.escape(data)) if manager else data
                try:
                    client.sendall(data)
                except OSError:
                    return

    sender = threading.Thread(target=send)
    sender.start()
    while True:
        try:
            data = client.recv(1024)
        except OSError:
            break
        if not data:
            break
        port.write(b"".join(manager.filter(data)) if manager else data)
    alive = False
    sender.join()
    client.close()

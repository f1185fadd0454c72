set -x
cat schema.prisma
node node_modules/prisma/build/index.js generate --schema schema.prisma
